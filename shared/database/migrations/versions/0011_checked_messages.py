"""ticket_writer holds what a message says of a mail against what the ledger says."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0011"
down_revision = "0010"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take the right back."""
    execute_scripts([SCRIPTS / "down.sql"])
