"""What the helpdesk UI sets on its own screens: settings, templates, channels, types; names in the work list."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0006"
down_revision = "0005"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take it back."""
    execute_scripts([SCRIPTS / "down.sql"])
