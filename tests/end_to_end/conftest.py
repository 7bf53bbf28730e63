"""One stack for all tests that leave it as it was; each works in a workspace of its own."""

from collections.abc import AsyncIterator

import pytest

from tests.end_to_end.stack import Stack, running_stack
from tests.end_to_end.workspace import Workspace, new_workspace
from tests.support.receiver import Receiver


@pytest.fixture(scope="package")
async def stack(database_admin_url: str, _template_database: str, kafka_bootstrap: str) -> AsyncIterator[Stack]:
    """Run the three processes."""
    async with running_stack(
        database_admin_url=database_admin_url, template=_template_database, kafka_bootstrap=kafka_bootstrap
    ) as stack:
        yield stack


@pytest.fixture
async def workspace(stack: Stack) -> Workspace:
    """Return a workspace of this test alone."""
    return await new_workspace(stack)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Run a receiver of this test alone."""
    receiver = Receiver()
    await receiver.start()
    yield receiver
    await receiver.stop()
