"""No function is everybody's, and those that run as the owner name all that they touch."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0003"
down_revision = "0002"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take back that functions are closed."""
    execute_scripts([SCRIPTS / "down.sql"])
