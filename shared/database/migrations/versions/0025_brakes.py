"""Brakes: a mailbox is paused, mail out is held, by a person and until he lets it go."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0025"
down_revision = "0024"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take it back: refused while a mailbox is paused or mail is held, which would be read and sent."""
    execute_scripts([SCRIPTS / "down.sql"])
