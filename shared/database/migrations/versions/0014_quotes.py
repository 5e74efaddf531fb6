"""A confirmation to a sender whom nobody knows and no check vouches for says so, and a helpdesk how much it quotes."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0014"
down_revision = "0013"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take it back; what a helpdesk chose is lost with its setting."""
    execute_scripts([SCRIPTS / "down.sql"])
