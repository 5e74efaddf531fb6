"""What services of the version before needed, and these do not: their rights on secrets, and refusals kept twice.

The second half: `migrate --finish` runs it, when no service of the version before is left.
"""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0012"
down_revision = "0011"
half = "after"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Give back what the version before needs."""
    execute_scripts([SCRIPTS / "down.sql"])
