"""How often a server may have taken a notification without saying so: such a mail is tried again a few times only."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0017"
down_revision = "0016"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take it back: what is in doubt is tried as often as any other again."""
    execute_scripts([SCRIPTS / "down.sql"])
