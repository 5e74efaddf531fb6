"""Revisions that only a test has, after those of `shared/database/migrations`."""

from pathlib import Path
from typing import Final

from alembic.config import Config

VERSIONS: Final = Path(__file__).parents[3] / "shared" / "database" / "migrations" / "versions"


def with_more_revisions(folder: Path) -> Config:
    """Alembic's configuration with ours, and with those that stand in `folder`."""
    config = Config()
    config.set_main_option("script_location", "shared.database:migrations")
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", f"{VERSIONS}\n{folder}")
    return config
