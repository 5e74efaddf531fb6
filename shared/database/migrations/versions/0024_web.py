"""Who uses the web console: users, their rights for each helpdesk, sessions, one-time links, failed logins."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0024"
down_revision = "0023"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take it back; refuses while there are users."""
    execute_scripts([SCRIPTS / "down.sql"])
