"""A dispatcher that cannot work says why in one sentence, and does not start."""

import pytest

from tests.support.makers import TEST_KEYS
from tests.support.processes import free_port, running

WORKING = {
    "CORO_ENVIRONMENT": "local",
    "CORO_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none",
    "CORO_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9",
    "CORO_SECRET_KEYS": TEST_KEYS,
}


async def test_start_is_refused_when_the_schema_is_behind(empty_database_url: str) -> None:
    environ = {**WORKING, "CORO_DATABASE_URL": empty_database_url, "CORO_OPS_PORT": str(free_port())}
    with running("services.dispatcher", environ=environ) as process:
        assert await process.ended() == 1
        (said,) = process.output().strip().splitlines()
    assert said.startswith("The database schema is behind the code; run the migrations first")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CORO_SECRET_KEYS", "nonsense"),
        ("CORO_DISPATCHER_LEASE_S", "5"),
    ],
)
async def test_start_is_refused_when_a_setting_cannot_be_used(variable: str, value: str) -> None:
    with running("services.dispatcher", environ={**WORKING, variable: value}) as process:
        assert await process.ended() == 2
        said = process.output()
    assert variable in said
    assert "Traceback" not in said
    assert TEST_KEYS not in said
