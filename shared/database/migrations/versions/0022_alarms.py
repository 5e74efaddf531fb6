"""Alarms that are told to people: once, and again when they end; who administers a helpdesk; planned maintenance."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0022"
down_revision = "0021"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take it back; refused while there are administrators or maintenance."""
    execute_scripts([SCRIPTS / "down.sql"])
