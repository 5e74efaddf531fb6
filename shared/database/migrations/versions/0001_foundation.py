"""The foundation: people, helpdesks, settings, ledger, tickets, supplements, notifications, the UI's views."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0001"
down_revision = None
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take it back; refuses where rows would be lost."""
    execute_scripts([SCRIPTS / "down.sql"])
