"""Secrets are sealed for a public key, which the database tells whoever writes one."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0007"
down_revision = "0006"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take the public keys away; refuses where there are any."""
    execute_scripts([SCRIPTS / "down.sql"])
