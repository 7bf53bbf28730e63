"""Where the servers are: the environment first, then a stack that runs from the current folder."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

from coro_events.cli.told import Refused

RUN_FILE = Path(".local/run.json")
_BROKER = re.compile(r"[^\s:]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\]:\d{1,5}", re.ASCII)


def database_url() -> str:
    """Return the address of PostgreSQL.

    Raises:
        Refused: Nobody says where it is.
    """
    return _place("CORO_DATABASE_URL", "database_url", os.environ)


def kafka_bootstrap() -> str:
    """Return the brokers, `host:port`, comma separated.

    Raises:
        Refused: Nobody says where they are, or it is no such list.
    """
    servers = _place("CORO_KAFKA_BOOTSTRAP_SERVERS", "kafka_bootstrap", os.environ)
    if not all(_BROKER.fullmatch(server.strip()) for server in servers.split(",")):
        raise Refused("CORO_KAFKA_BOOTSTRAP_SERVERS must be host:port, comma separated")
    return servers


def topic(name: str) -> str:
    """Return a topic's name with the prefix of this cluster, `CORO_KAFKA_TOPIC_PREFIX`, in front."""
    return os.environ.get("CORO_KAFKA_TOPIC_PREFIX", "") + name


def _place(variable: str, key: str, environ: Mapping[str, str]) -> str:
    given = environ.get(variable)
    if given:
        return given
    try:
        facts = json.loads(RUN_FILE.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Refused(f"{variable} is not set and there is no {RUN_FILE} in this folder") from None
    except ValueError:
        raise Refused(f"{variable} is not set and {RUN_FILE} is not JSON") from None
    noted = facts.get(key) if isinstance(facts, dict) else None
    if not isinstance(noted, str) or not noted:
        raise Refused(f"{variable} is not set and {RUN_FILE} has no {key}")
    return noted
