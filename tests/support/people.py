"""People who may sign in to the console."""

import uuid
from typing import Any

from argon2 import PasswordHasher
from sqlalchemy import insert

from coro_events.store.tables import users
from coro_events.store.unit import Database

PASSWORD = "correct horse battery staple"


def hash_cheaply(password: str = PASSWORD) -> str:
    """Return a hash of a password that costs next to nothing to compare with."""
    return PasswordHasher(time_cost=1, memory_cost=64).hash(password)


async def insert_user(database: Database, **changes: Any) -> uuid.UUID:
    """Insert a user without a password; its workspace must be there already."""
    values = {
        "id": uuid.uuid4(),
        "email": "admin@acme.example",
        "workspace_id": "acme",
        "role": "administrator",
        "password_hash": None,
    } | changes
    async with database.write() as connection:
        await connection.execute(insert(users).values(values))
    return uuid.UUID(str(values["id"]))
