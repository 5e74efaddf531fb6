"""What nothing needs any more goes after a while, and what is personal of a contact when somebody asks for it."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0023"
down_revision = "0022"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take it back: refused while bytes of a mail are gone, which nothing brings back."""
    execute_scripts([SCRIPTS / "down.sql"])
