"""A look at a raw mail stands in the server's log too, which no rollback takes back."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0026"
down_revision = "0025"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take it back: the row of the audit log alone tells of a look."""
    execute_scripts([SCRIPTS / "down.sql"])
