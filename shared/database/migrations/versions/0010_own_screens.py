"""A mailbox that a redirecting rule feeds; attachments, channels and types of people's own."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0010"
down_revision = "0009"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take it back."""
    execute_scripts([SCRIPTS / "down.sql"])
