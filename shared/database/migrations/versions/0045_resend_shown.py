"""The helpdesk's screens see which mail out repeats which."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0045"
down_revision = "0044"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take the column of the view away."""
    execute_scripts([SCRIPTS / "down.sql"])
