"""Users of the web console who log in by OpenID Connect: who they are at the provider."""

from pathlib import Path

from shared.database.scripts import execute_scripts

revision = "0039"
down_revision = "0038"
SCRIPTS = Path(__file__).with_suffix("")


def upgrade() -> None:
    """Run the scripts of the folder beside this file."""
    execute_scripts(path for path in sorted(SCRIPTS.glob("*.sql")) if path.name != "down.sql")


def downgrade() -> None:
    """Take the bindings back: each is made anew at the next first login."""
    execute_scripts([SCRIPTS / "down.sql"])
