"""Decides, before anything starts, which servers, ports and settings one run of the stack uses."""

from collections.abc import Mapping
from dataclasses import dataclass

from deploy.local.errors import LocalError
from deploy.local.keys import Keys
from deploy.local.ports import preferred_port, promised_port
from deploy.local.servers import DATABASE_SETTING, KAFKA_SETTING

SERVICES = ("api", "dispatcher", "scheduler")

_API_SETTING = "CORO_API_PORT"
_OPS_SETTING = "CORO_OPS_PORT"
_CONSOLE_SETTING = "CORO_CONSOLE_URL"
_API_PORT = 8080
_OPS_PORT = 9100
_POSTGRES_PORT = 15432
_KAFKA_PORT = 19092
_CONTROLLER_PORT = 19093
_RECEIVER_PORT = 9000
_SMTP_PORT = 1025


@dataclass(frozen=True)
class Plan:
    """Ports of everything; where a server is given from outside, its address instead."""

    api_port: int
    ops_ports: dict[str, int]
    postgres_port: int
    kafka_port: int
    controller_port: int
    receiver_port: int
    smtp_port: int
    given_database_url: str | None
    given_kafka_bootstrap: str | None

    @property
    def api_url(self) -> str:
        """Where the REST API answers."""
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def receiver_url(self) -> str:
        """Where the demo receiver takes deliveries."""
        return f"http://127.0.0.1:{self.receiver_port}/webhook"

    @property
    def smtp_url(self) -> str:
        """Where mail is kept instead of sent."""
        return f"smtp://127.0.0.1:{self.smtp_port}"

    def ops_url(self, service: str) -> str:
        """Where a service tells about itself."""
        return f"http://127.0.0.1:{self.ops_ports[service]}"


def make_plan(env: Mapping[str, str]) -> Plan:
    """Choose the ports.

    The API's and the operators' ports are relied on by people, so a taken one is an error. CORO_OPS_PORT is the
    first of three in a row. All others move aside.

    Raises:
        LocalError: a promised port is taken or no port.
    """
    api_port = promised_port(env, _API_SETTING, _API_PORT)
    first = promised_port(env, _OPS_SETTING, _OPS_PORT)
    ops_ports = {name: _ops_port(env, first + place) for place, name in enumerate(SERVICES)}
    taken = {api_port, *ops_ports.values()}
    if len(taken) <= len(SERVICES):
        raise LocalError(f"{_API_SETTING} and {_OPS_SETTING} (three ports in a row) name the same port.")
    postgres, kafka, controller, receiver, smtp = _preferred_ports(taken)
    return Plan(
        api_port=api_port,
        ops_ports=ops_ports,
        postgres_port=postgres,
        kafka_port=kafka,
        controller_port=controller,
        receiver_port=receiver,
        smtp_port=smtp,
        given_database_url=env.get(DATABASE_SETTING) or None,
        given_kafka_bootstrap=env.get(KAFKA_SETTING) or None,
    )


def settings_for_processes(
    env: Mapping[str, str], plan: Plan, keys: Keys, *, database_url: str, kafka_bootstrap: str
) -> dict[str, str]:
    """Return the environment that services and commands share; what the user has set wins."""
    ours = {
        "CORO_ENVIRONMENT": "local",
        "CORO_SECRET_KEYS": keys.secret_keys,
        "CORO_TOKEN_KEYS": keys.token_keys,
        "CORO_SMTP_URL": plan.smtp_url,
        "CORO_ALLOWED_NETWORKS": "127.0.0.0/8,::1/128",
        "PYTHONUNBUFFERED": "1",
    }
    fixed = {DATABASE_SETTING: database_url, KAFKA_SETTING: kafka_bootstrap}
    return {name: value for name, value in (ours | dict(env) | fixed).items() if name != _OPS_SETTING}


def settings_for_service(shared: Mapping[str, str], plan: Plan, service: str) -> dict[str, str]:
    """Return the environment of one service."""
    own = {_API_SETTING: str(plan.api_port), _OPS_SETTING: str(plan.ops_ports[service])}
    # The API knows from each request how it was reached; mails must be told.
    links = {_CONSOLE_SETTING: plan.api_url} if service == "scheduler" else {}
    return {**links, **shared, **own}


def _ops_port(env: Mapping[str, str], port: int) -> int:
    return promised_port({**env, _OPS_SETTING: str(port)}, _OPS_SETTING, port)


def _preferred_ports(taken: set[int]) -> list[int]:
    chosen = set(taken)
    ports = []
    for port in (_POSTGRES_PORT, _KAFKA_PORT, _CONTROLLER_PORT, _RECEIVER_PORT, _SMTP_PORT):
        ports.append(preferred_port(port, chosen))
        chosen.add(ports[-1])
    return ports
