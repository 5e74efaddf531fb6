"""Aliases that are found, days that can be opened or closed, no EWS without a server (D1, D3, S4)."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0005"
down_revision = "0004"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take it back."""
    execute_scripts([SCRIPTS / "down.sql"])
