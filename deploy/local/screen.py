"""Shows the running stack: one live screen on a terminal, one line a happening everywhere else."""

import sys
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import httpx
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from deploy.local.deliveries import Delivery, DeliveryLog
from deploy.local.places import Places

_ROUND_S = 1.0
_SHOWN_DELIVERIES = 10
_PROBE_LIMIT_S = 0.5


def watch(facts: Mapping[str, Any], places: Places, check: Callable[[float], None]) -> None:
    """Show what happens until `check` raises; it also does the waiting between two rounds.

    Raises:
        LocalError: a process ended (from `check`).
    """
    console = Console()
    log = DeliveryLog(places.log_of_receiver)
    if not console.is_terminal:
        _lines(log, check)
    recent: deque[Delivery] = deque(maxlen=_SHOWN_DELIVERIES)
    with Live(console=console, auto_refresh=False) as live, httpx.Client(timeout=_PROBE_LIMIT_S) as client:
        while True:
            recent.extend(log.new())
            live.update(Group(addresses(facts), states(facts, client), _deliveries(recent)), refresh=True)
            check(_ROUND_S)


def _lines(log: DeliveryLog, check: Callable[[float], None]) -> None:
    while True:
        for delivery in log.new():
            sys.stdout.write(f"delivered: {delivery.line()}\n")
        sys.stdout.flush()
        check(_ROUND_S)


def addresses(facts: Mapping[str, Any]) -> Table:
    """Return where everything is, and who may sign in; other secrets stay in the run file."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for label, key in (
        ("Console", "console_url"),
        ("Sign in as", "admin_email"),
        ("Password", "admin_password"),
        ("REST API", "api_url"),
        ("Receiver", "receiver_url"),
        ("Kafka", "kafka_bootstrap"),
        ("Mail", "mail_dir"),
        ("Client id", "client_id"),
    ):
        table.add_row(Text(label, style="bold"), str(facts[key]))
    table.add_row(Text("Other secrets", style="bold"), "in run.json, beside the data")
    return table


def states(facts: Mapping[str, Any], client: httpx.Client) -> Table:
    """Return one row a process; services are asked whether they are ready."""
    table = Table("process", "id", "state", box=None, padding=(0, 2, 0, 0))
    for name, pid in facts["pids"].items():
        ops_url = facts["ops_urls"].get(name)
        table.add_row(name, str(pid), readiness(client, ops_url) if ops_url else "running")
    return table


def readiness(client: httpx.Client, ops_url: str) -> str:
    """Return what a service says about itself, in a word."""
    try:
        return "ready" if client.get(f"{ops_url}/readyz").is_success else "not ready"
    except httpx.HTTPError:
        return "no answer"


def _deliveries(recent: deque[Delivery]) -> Group:
    lines = [Text(one.line(), style="green" if one.verified else "red", no_wrap=True) for one in recent]
    title = Text("Latest deliveries (Ctrl-C stops everything)", style="bold")
    return Group(Text(""), title, *(lines or [Text("none yet")]))
