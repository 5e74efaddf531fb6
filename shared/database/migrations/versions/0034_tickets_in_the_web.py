"""The web console shows a ticket as it was imported, from the views that the helpdesk UI reads too."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0034"
down_revision = "0033"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take it back: the web console shows mails alone."""
    execute_scripts([SCRIPTS / "down.sql"])
