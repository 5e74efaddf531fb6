"""What mails out are counted by is stored with each: the mailbox and the registrable domain of its address."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0013"
down_revision = "0012"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take it back; what the columns hold follows from the addresses."""
    execute_scripts([SCRIPTS / "down.sql"])
