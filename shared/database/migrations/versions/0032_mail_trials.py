"""«Probeer een mail»: the web console asks classifier and ticket_writer what would become of a mail."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0032"
down_revision = "0031"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take it back: what was tried is of the moment, and goes with it."""
    execute_scripts([SCRIPTS / "down.sql"])
