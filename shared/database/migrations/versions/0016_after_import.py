"""What goes wrong after the import (marking, moving, deleting) rests apart from the checks of the mailbox."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0016"
down_revision = "0015"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take it back; what rested is tried at the next check."""
    execute_scripts([SCRIPTS / "down.sql"])
