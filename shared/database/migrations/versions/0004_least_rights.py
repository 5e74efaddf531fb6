"""Each service's role may do what its statements need, and no more."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0004"
down_revision = "0003"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Give back what 0001 gave."""
    execute_scripts([SCRIPTS / "down.sql"])
