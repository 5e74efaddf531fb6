"""A mailbox's log: what its checks were."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0036"
down_revision = "0035"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take the log back: it is shown, and nothing is decided by it."""
    execute_scripts([SCRIPTS / "down.sql"])
