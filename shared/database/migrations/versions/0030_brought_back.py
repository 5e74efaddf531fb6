"""Brought back: what a database needs that was restored to an earlier moment, so that no mail and no number is lost."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0030"
down_revision = "0029"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take it back: refused while a mailbox is still to be read again, whose mail would stay behind."""
    execute_scripts([SCRIPTS / "down.sql"])
