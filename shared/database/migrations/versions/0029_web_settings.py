"""Settings in the web console: what its role may change, and what it asks of services that alone can answer."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0029"
down_revision = "0028"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take it back: what was asked is of the moment, and goes with it."""
    execute_scripts([SCRIPTS / "down.sql"])
