"""Work on many mails at once, as a job of the web console with progress and pause."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0038"
down_revision = "0037"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take the jobs back: what they did stays done, the rest is asked for again."""
    execute_scripts([SCRIPTS / "down.sql"])
