"""Floods: a sender who sends more in an hour than his helpdesk takes in is slowed, and nothing is dropped."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0031"
down_revision = "0030"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take it back: what is held goes on."""
    execute_scripts([SCRIPTS / "down.sql"])
