"""Which sequences give numbers that are taken: of rows that were loaded without them."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0046"
down_revision = "0045"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take the function back."""
    execute_scripts([SCRIPTS / "down.sql"])
