"""What ticket_writer needs to write many tickets or supplements in one statement."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0020"
down_revision = "0019"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take it back: an older ticket_writer writes them one by one."""
    execute_scripts([SCRIPTS / "down.sql"])
