"""Operators add users, give rights and make links in the web console itself; each link stands in the audit log."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0033"
down_revision = "0032"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take it back: users are added on the command line alone."""
    execute_scripts([SCRIPTS / "down.sql"])
