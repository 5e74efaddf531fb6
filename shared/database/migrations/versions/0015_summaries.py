"""Mails to staff in a burst (M2, M3) become one, by a template of its own."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0015"
down_revision = "0014"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take it back; refuses where a helpdesk has a template of its own for summaries."""
    execute_scripts([SCRIPTS / "down.sql"])
