"""Mail that somebody read already is imported too, where a setting says from when on."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0021"
down_revision = "0020"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take it back; unread mail alone is imported again."""
    execute_scripts([SCRIPTS / "down.sql"])
