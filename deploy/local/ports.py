"""Which ports the local stack uses: fixed where people rely on them, moved aside where nobody does."""

import socket
from collections.abc import Iterable, Mapping

from deploy.local.errors import LocalError

_HIGHEST = 65535


def is_free(port: int) -> bool:
    """Tell whether nothing listens on this port, on any address of this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free_port() -> int:
    """Return a port nothing listens on at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def preferred_port(port: int, taken: Iterable[int] = ()) -> int:
    """Return this port if it is free, else any free one."""
    if port not in taken and is_free(port):
        return port
    while (other := free_port()) in taken:
        pass
    return other


def promised_port(env: Mapping[str, str], setting: str, default: int) -> int:
    """Return the port the setting names.

    Raises:
        LocalError: it is no port, or something listens there; names port and setting.
    """
    text = env.get(setting, str(default))
    if not text.isdecimal() or not 0 < int(text) <= _HIGHEST:
        raise LocalError(f"{setting} is {text!r}, which is not a port between 1 and {_HIGHEST}.")
    port = int(text)
    if not is_free(port):
        raise LocalError(f"Port {port} is taken by another program; free it or set {setting} to another port.")
    return port
