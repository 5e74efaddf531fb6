"""Rights in the web console that come from groups of the provider where people log in (OpenID Connect)."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0040"
down_revision = "0039"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take them back, where no group gives a right or that may be lost."""
    execute_scripts([SCRIPTS / "down.sql"])
