"""A browser without scripts, signed in at the console of workspace `acme`."""

import httpx
import pytest

from coro_events.store.unit import Database
from tests.integration.api.console.browsing import Browser
from tests.support.makers import insert_workspace
from tests.support.people import hash_cheaply, insert_user


@pytest.fixture(scope="session")
def password_hash() -> str:
    """Return the hash of the password that all users of these tests have, cheap to compare with."""
    return hash_cheaply()


@pytest.fixture
async def tree(database: Database, password_hash: str) -> None:
    """Make `acme` with its child `acme-east`, `rival` beside it, and a user of each role."""
    await insert_workspace(database, "acme")
    await insert_workspace(database, "acme-east", parent="acme")
    await insert_workspace(database, "rival")
    for role in ("viewer", "administrator", "super_admin"):
        await insert_user(database, email=f"{role}@acme.example", role=role, password_hash=password_hash)


@pytest.fixture
async def stranger(http: httpx.AsyncClient, tree: None) -> Browser:
    """Return a browser in which nobody is signed in."""
    del tree
    return Browser(http)


@pytest.fixture
async def browser(stranger: Browser) -> Browser:
    """Return a browser in which an administrator of `acme` is signed in."""
    await stranger.sign_in("administrator@acme.example")
    return stranger
