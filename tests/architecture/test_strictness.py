"""The test run is as strict as it says."""

import asyncio
import os
import socket
import warnings

import pytest

from tests.support.sockets import no_network
from tests.support.waiting import wait_until


def test_environment_holds_nothing_of_ours() -> None:
    assert not [name for name in os.environ if name.upper().startswith("CORO_")]


def test_warning_is_an_error() -> None:
    with pytest.raises(DeprecationWarning):
        warnings.warn("old", DeprecationWarning, stacklevel=1)


def test_every_test_has_a_time_limit(pytestconfig: pytest.Config) -> None:
    assert 0 < float(pytestconfig.getini("timeout")) <= 120


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_connecting_fails_when_the_network_is_off(family: socket.AddressFamily) -> None:
    with no_network(), socket.socket(family) as own:
        with pytest.raises(AssertionError, match="a unit test connected to"):
            own.connect(("localhost", 9))
        with pytest.raises(AssertionError, match="a unit test connected to"):
            own.connect_ex(("localhost", 9))


async def test_connecting_fails_in_the_event_loop_when_the_network_is_off() -> None:
    with no_network(), pytest.raises(AssertionError, match="a unit test connected to"):
        await asyncio.open_connection("127.0.0.1", 9)


def test_event_loop_runs_when_the_network_is_off() -> None:
    async def work() -> str:
        return await asyncio.to_thread(lambda: "done")

    with no_network():
        loop = asyncio.new_event_loop()
        try:
            assert loop.run_until_complete(work()) == "done"
            loop.run_until_complete(loop.shutdown_default_executor())
        finally:
            loop.close()


async def test_waiting_has_a_limit_and_a_message() -> None:
    with pytest.raises(AssertionError, match=r"^waited 0.05 s for the moon; last answer: 0$"):
        await wait_until(lambda: 0, what="the moon", limit_s=0.05)


async def test_waiting_returns_what_the_condition_answered() -> None:
    answers = iter([None, "", "here"])

    async def ask() -> str | None:
        return next(answers)

    assert await wait_until(ask, what="an answer") == "here"
