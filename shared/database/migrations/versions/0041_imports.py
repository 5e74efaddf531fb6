"""How much a mailbox still holds, for the time left of an import; and a row of its log that stands for many."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0041"
down_revision = "0040"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Forget both; the next check tells anew how much there is."""
    execute_scripts([SCRIPTS / "down.sql"])
