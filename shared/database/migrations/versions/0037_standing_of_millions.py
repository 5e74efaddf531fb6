"""`status`, metrics and alarms ask of the last day without reading all that ever came; mails of one sender likewise."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0037"
down_revision = "0036"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take them back: the same is asked by reading the tables."""
    execute_scripts([SCRIPTS / "down.sql"])
