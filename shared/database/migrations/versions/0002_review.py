"""Acceptance by ticket_writer's own rules: what they stand on is stored, and the helpdesk UI asks by a function."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0002"
down_revision = "0001"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take it back; refuses where rows would be lost."""
    execute_scripts([SCRIPTS / "down.sql"])
