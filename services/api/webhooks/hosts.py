"""Which hosts a URL may name by their addresses: pure; names are looked up elsewhere."""

import ipaddress
import re
from collections.abc import Sequence

from coro_events.rules.addresses import Address, Network, forbidden_rule

# Parts of an IPv4 address, each of which may be written in octal, decimal or hexadecimal.
_PARTS = ((re.compile(r"0[xX][0-9A-Fa-f]+"), 16), (re.compile(r"0[0-7]*"), 8), (re.compile(r"[1-9][0-9]*"), 10))
_MAX_PARTS = 4
_LARGEST = 0xFFFFFFFF


def address_in(host: str) -> Address | None:
    """Return the address that a host is, in any notation that a resolver takes for one; none where it is a name.

    Beside the usual ones these are 2130706433, 0x7f000001, 0177.0.0.1 and 127.1, which look harmless to a reader.
    """
    try:
        return ipaddress.ip_address(host.removeprefix("[").removesuffix("]").partition("%")[0])
    except ValueError:
        number = _number_in(host.removesuffix("."))
    return None if number is None else ipaddress.IPv4Address(number)


def _number_in(host: str) -> int | None:
    """Read an IPv4 address as the C library does: the last part fills all bytes that the others leave."""
    parts = [_part(part) for part in host.split(".")]
    if len(parts) > _MAX_PARTS:
        return None
    number = 0
    for place, part in enumerate(parts):
        is_last = place == len(parts) - 1
        if part is None or part > (_LARGEST >> (8 * place) if is_last else 0xFF):
            return None
        number += part if is_last else part << (24 - 8 * place)
    return number


def _part(text: str) -> int | None:
    for digits, base in _PARTS:
        if digits.fullmatch(text):
            return int(text, base)
    return None


def fault_in_address(address: str, allowed: Sequence[Network]) -> str | None:
    """Return which rule forbids to call an address, never the address itself; nothing where it may be called."""
    rule = forbidden_rule(address, allowed)
    if rule is None:
        return None
    kind, _, more = rule.partition(", ")
    article = "an" if kind[0] in "aeiou" else "a"
    return f"leads to {article} {kind} address" + (f", {more}" if more else "")
