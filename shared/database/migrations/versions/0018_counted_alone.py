"""Two indexes less on notifications: what they were for is counted by other columns since 0013."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0018"
down_revision = "0017"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take it back: both indexes are there again."""
    execute_scripts([SCRIPTS / "down.sql"])
