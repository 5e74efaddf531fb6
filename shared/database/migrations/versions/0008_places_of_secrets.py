"""A secret stays with the place that it was given for; sending without TLS is chosen, as reading is."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0008"
down_revision = "0007"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take the rule and the switch back."""
    execute_scripts([SCRIPTS / "down.sql"])
