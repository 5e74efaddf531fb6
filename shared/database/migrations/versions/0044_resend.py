"""A mail out may be sent once more: a row of its own, which names the one that it repeats."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0044"
down_revision = "0043"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take the column away, and the mails that were sent once more with it."""
    execute_scripts([SCRIPTS / "down.sql"])
