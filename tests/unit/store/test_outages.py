"""Which failures pass by themselves."""

import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from coro_events.errors import StoreUnavailableError
from coro_events.store.outages import is_outage, outages


class ServerError(Exception):
    """An error of the driver that carries the server's code."""

    def __init__(self, sqlstate: str | None) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


class InterfaceError(Exception):
    """What the driver says when the connection went away below it."""


def failed(orig: BaseException, *, connection_invalidated: bool = False) -> DBAPIError:
    return DBAPIError("select 1", None, orig, connection_invalidated=connection_invalidated)


@pytest.mark.parametrize(
    "sqlstate", ["08006", "25006", "25P03", "40001", "40P01", "53300", "55P03", "57014", "57P01", "57P03", "58030"]
)
def test_codes_that_pass_are_outages(sqlstate: str) -> None:
    assert is_outage(failed(ServerError(sqlstate)))


@pytest.mark.parametrize("sqlstate", ["23505", "23503", "42P01", "42601", "22001", "3D000", "28P01", "25001"])
def test_broken_rules_and_bugs_are_none(sqlstate: str) -> None:
    assert not is_outage(failed(ServerError(sqlstate)))


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(),
        TimeoutError(),
        PoolTimeoutError(),
        failed(InterfaceError()),
        failed(ServerError("23505"), connection_invalidated=True),
    ],
    ids=repr,
)
def test_lost_connections_are_outages(error: Exception) -> None:
    assert is_outage(error)


@pytest.mark.parametrize("error", [ValueError(), KeyError(), failed(ValueError()), failed(ServerError(None))], ids=repr)
def test_other_errors_are_none(error: Exception) -> None:
    assert not is_outage(error)


async def test_outage_becomes_the_domain_error_and_keeps_its_cause() -> None:
    cause = failed(ServerError("57P01"))
    with pytest.raises(StoreUnavailableError) as told:
        async with outages():
            raise cause
    assert told.value.__cause__ is cause


async def test_other_errors_pass_unchanged() -> None:
    for error in (failed(ServerError("23505")), ValueError("a bug")):
        with pytest.raises(type(error)) as told:
            async with outages():
                raise error
        assert told.value is error
