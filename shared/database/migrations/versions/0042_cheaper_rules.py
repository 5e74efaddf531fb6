"""The same rules for less of the database's time: what is asked for each claim, and what follows each new ticket."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0042"
down_revision = "0041"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Put the functions and the trigger back as they were."""
    execute_scripts([SCRIPTS / "down.sql"])
