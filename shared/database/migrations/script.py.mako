"""${message}."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take it back; refuses where rows would be lost."""
    execute_scripts([SCRIPTS / "down.sql"])
