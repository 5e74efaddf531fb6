"""What was asked of a mail server, and what came, in the last check of a mailbox that failed."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0043"
down_revision = "0042"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Forget it; the next check that fails tells anew."""
    execute_scripts([SCRIPTS / "down.sql"])
