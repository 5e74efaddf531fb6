"""Who changed which setting, repaired what and looked at which raw mail: a row each, which nobody's tool goes round."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0019"
down_revision = "0018"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take it back, with all that was recorded: refused while there is any, unless the data may go."""
    execute_scripts([SCRIPTS / "down.sql"])
