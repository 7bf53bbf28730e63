"""Ports: promised ones are insisted on, the others move aside."""

import socket
from collections.abc import Iterator

import pytest

from deploy.local.errors import LocalError
from deploy.local.plan import make_plan
from deploy.local.ports import free_port, is_free, preferred_port


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def _free_row() -> int:
    """Return the first of three free ports in a row."""
    return next(port for port in range(21000, 30000) if all(is_free(port + step) for step in range(3)))


def test_another_port_is_chosen_when_nobody_relies_on_the_taken_one(taken: int) -> None:
    other = preferred_port(taken)
    assert other != taken
    assert preferred_port(other) == other
    assert preferred_port(other, {other}) != other


@pytest.mark.parametrize("setting", ["CORO_API_PORT", "CORO_OPS_PORT"])
def test_port_and_setting_are_named_when_a_promised_one_is_taken(taken: int, setting: str) -> None:
    env = {"CORO_API_PORT": str(free_port()), "CORO_OPS_PORT": str(_free_row()), setting: str(taken)}
    with pytest.raises(LocalError, match=f"Port {taken} is taken.*{setting}"):
        make_plan(env)


@pytest.mark.parametrize("text", ["", "http", "0", "70000", "-1"])
def test_the_setting_is_named_when_it_is_no_port(text: str) -> None:
    with pytest.raises(LocalError, match="CORO_API_PORT is"):
        make_plan({"CORO_API_PORT": text})


def test_all_ports_differ_when_a_plan_is_made() -> None:
    plan = make_plan({"CORO_API_PORT": str(free_port()), "CORO_OPS_PORT": str(_free_row())})
    ports = [
        *(plan.api_port, *plan.ops_ports.values(), plan.postgres_port, plan.kafka_port),
        *(plan.controller_port, plan.receiver_port, plan.smtp_port),
    ]
    assert len(set(ports)) == len(ports) == 9


def test_api_and_ops_ports_are_refused_when_they_overlap() -> None:
    first = _free_row()
    with pytest.raises(LocalError, match="name the same port"):
        make_plan({"CORO_API_PORT": str(first + 1), "CORO_OPS_PORT": str(first)})
