"""A login is a thing: its name, secret, end and refusals stand once, however many mailboxes and accounts use it.

The columns of a login beside a mailbox or account are its login's from now on, written through to it: services and
command lines of the version before go on beside new ones.
"""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0009"
down_revision = "0008"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Leave each mailbox and account with its copy of the login."""
    execute_scripts([SCRIPTS / "down.sql"])
