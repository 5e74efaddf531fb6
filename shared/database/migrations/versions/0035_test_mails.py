"""«Stuur testmail»: the notifier answers what people ask in the web console."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0035"
down_revision = "0034"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take it back: a template is seen in the web console alone."""
    execute_scripts([SCRIPTS / "down.sql"])
