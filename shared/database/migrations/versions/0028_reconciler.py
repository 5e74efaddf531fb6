"""The role that compares: it sees which mail became what, and no word of any mail."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0028"
down_revision = "0027"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take it back; the role itself stays."""
    execute_scripts([SCRIPTS / "down.sql"])
