"""Installation: for which server and key a database was confirmed, so that a copy reads no mailbox and mails nobody."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0027"
down_revision = "0026"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take it back: refused in a database that is not confirmed, which an older version would read and mail from."""
    execute_scripts([SCRIPTS / "down.sql"])
