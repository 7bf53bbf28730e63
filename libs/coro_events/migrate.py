"""Bring the database schema to the newest revision: `python -m coro_events.migrate`.

Also says how far a database is, which services ask before they start.
"""

import os
import sys
from pathlib import Path

from alembic.command import downgrade, upgrade
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text

import coro_events
from coro_events.errors import SchemaBehindError
from coro_events.store.unit import Database

_PACKAGE = Path(coro_events.__file__).parent


def migrations_folder() -> Path:
    """Return the folder of the migrations: beside the package when installed, two levels up in a checkout."""
    candidates = (_PACKAGE.parent / "migrations", _PACKAGE.parent.parent / "migrations")
    for folder in candidates:
        if (folder / "env.py").is_file():
            return folder
    raise FileNotFoundError("the migrations are not installed")


def alembic_config(database_url: str) -> Config:
    """Return alembic's configuration for one database."""
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    config.attributes["database_url"] = database_url
    return config


def head() -> str:
    """Return the newest revision that this code knows."""
    revision = ScriptDirectory.from_config(alembic_config("")).get_current_head()
    if revision is None:
        raise FileNotFoundError("there are no migrations")
    return revision


def migrate(database_url: str, *, revision: str = "head") -> None:
    """Run every migration up to a revision; waits for another migrating process to finish first."""
    upgrade(alembic_config(database_url), revision)


def unmigrate(database_url: str, *, revision: str = "base") -> None:
    """Undo every migration down to a revision."""
    downgrade(alembic_config(database_url), revision)


async def schema_revision(database: Database) -> str | None:
    """Return the revision that a database is at; none for one that was never migrated."""
    async with database.read() as connection:
        if await connection.scalar(text("select to_regclass('alembic_version')")) is None:
            return None
        revision: str | None = await connection.scalar(text("select version_num from alembic_version"))
        return revision


async def require_current_schema(database: Database) -> None:
    """Refuse to go on with a schema that this code was not written for.

    A revision that the code does not know is newer than it: migrations expand before they contract, so the last
    release keeps working on it.

    Raises:
        SchemaBehindError: The database was never migrated, or only to an older revision.
    """
    scripts = ScriptDirectory.from_config(alembic_config(""))
    known = {script.revision for script in scripts.walk_revisions()}
    revision = await schema_revision(database)
    if revision is None or (revision in known and revision != scripts.get_current_head()):
        raise SchemaBehindError(f"it is at {revision or 'nothing'}, needed is {scripts.get_current_head()}")


def main() -> int:
    """Migrate the database of CORO_DATABASE_URL; return the exit code."""
    database_url = os.environ.get("CORO_DATABASE_URL")
    if not database_url:
        sys.stderr.write("CORO_DATABASE_URL is not set\n")
        return 2
    migrate(database_url)
    sys.stdout.write(f"The schema is at {head()}.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
