"""Which URLs, secrets and headers a webhook may have: pure, each answering with what is wrong, or nothing."""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from urllib.parse import SplitResult, urlsplit

from coro_events.contract.triggers import Trigger, parse_rest_name, rest_name
from coro_events.rules.addresses import Network
from coro_events.rules.releasing import VersionLife, VersionStatus
from services.api.webhooks.hosts import address_in, fault_in_address

MAX_NAME_CHARACTERS = 100
MAX_DESCRIPTION_CHARACTERS = 500
MAX_URL_CHARACTERS = 2048
MIN_SECRET_CHARACTERS = 8
MAX_SECRET_CHARACTERS = 256
MAX_HEADERS = 20
MAX_HEADER_NAME_CHARACTERS = 100
MAX_HEADER_VALUE_CHARACTERS = 2048
MAX_WEBHOOKS_PER_WORKSPACE = 50

# Stands in answers where a secret is; writing it back leaves the secret as it is.
MASK = "********"

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
# C0 and C1 controls and lone surrogates, of which PostgreSQL and UTF-8 cannot hold all.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_CONTROLS_BUT_LINES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
# RFC 3986 without what it allows in brackets alone; non-ASCII hosts come as xn--.
_URL = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
# 127.1, 2130706433 and 0x7f000001 are addresses to some resolvers, and look harmless to a reader.
_NUMERIC_LABEL = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
_MAX_HOST_CHARACTERS = 253
_MAX_PORT = 65_535

_RESERVED_HEADERS = frozenset(
    {
        # Hop by hop (RFC 9110, section 7.6.1): they belong to one connection.
        "connection",
        "http2-settings",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        # They change how the exchange itself works.
        "accept-encoding",
        "expect",
        "host",
        # Set by us: receivers tell by them who calls and what is about to end.
        "deprecation",
        "sunset",
        "traceparent",
        "tracestate",
        "user-agent",
    }
)
_RESERVED_PREFIXES = ("content-", "webhook-", "x-coro-")


@dataclass(frozen=True, slots=True)
class BodyRules:
    """What the rules of a body depend on.

    Attributes:
        allow_http: Whether `http://` URLs are accepted.
        allowed_networks: Networks that may be called although they are not public.
        versions: The webhook versions that triggers may be of, and when each expires.
        closed: The versions that they may not be of, each with the reason.
    """

    allow_http: bool = False
    allowed_networks: Sequence[Network] = ()
    versions: Mapping[int, datetime | None] = field(default_factory=lambda: {1: None})
    closed: Mapping[int, str] = field(default_factory=dict)


def fault_in_line(text: str) -> str | None:
    """Return what is wrong with a text of one line, or nothing."""
    if not text.strip():
        return "must not be blank"
    return "must not hold control characters" if _CONTROLS.search(text) else None


def fault_in_description(text: str) -> str | None:
    """Return what is wrong with a text of several lines, or nothing."""
    return "must not hold control characters" if _CONTROLS_BUT_LINES.search(text) else None


def fault_in_secret(secret: str) -> str | None:
    """Return what is wrong with a secret, or nothing."""
    return "must not hold control characters" if _CONTROLS.search(secret) else None


def fault_in_url(url: str, *, allow_http: bool, allowed: Sequence[Network] = ()) -> str | None:
    """Return all that is wrong with the URL of a receiver, or nothing.

    A host that is an address is judged here, in whatever notation; where a name leads is looked up in reach.py. Both
    only help whoever types it in: the guard is the dispatcher's look at the address of each connection it opens.

    Args:
        url: As the client writes it.
        allow_http: Whether `http://` is accepted.
        allowed: Networks that may be called although they are not public.
    """
    if not _URL.fullmatch(url):
        return "must hold only the characters of a URL; encode others with %, and the host's as xn--"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "must have a valid host and a port from 1 to 65535"
    in_host = _fault_in_host(parts, allowed)
    faults = [*_faults_in_parts(url, parts, port, allow_http=allow_http), *([in_host] if in_host else [])]
    return ", and ".join(faults) or None


def _faults_in_parts(url: str, parts: SplitResult, port: int | None, *, allow_http: bool) -> Iterator[str]:
    if parts.scheme != "https" and not (allow_http and parts.scheme == "http"):
        yield "must begin with https:// or http://" if allow_http else "must begin with https://"
    if "@" in parts.netloc:
        yield "must not hold a user or a password; use headers"
    # An empty fragment is one too.
    if "#" in url:
        yield "must not have a fragment (#)"
    if port == 0 or parts.netloc.endswith(":"):
        yield f"must have a port from 1 to {_MAX_PORT}, or none"


def _fault_in_host(parts: SplitResult, allowed: Sequence[Network]) -> str | None:
    """Return what is wrong with the host, or nothing; an odd notation is told by where it leads, if that is worse."""
    host = parts.hostname
    if not host:
        return "must name a host"
    address = address_in(host)
    if address is not None and (fault := fault_in_address(str(address), allowed)):
        return fault
    if "[" in parts.netloc or ":" in host:
        return None if _is_address(host, ipaddress.IPv6Address) else "must have a valid IPv6 address"
    labels = host.removesuffix(".").split(".")
    if len(host) > _MAX_HOST_CHARACTERS or not all(_LABEL.fullmatch(label) for label in labels):
        return "must name a valid host"
    if _NUMERIC_LABEL.fullmatch(labels[-1]) and not _is_address(host, ipaddress.IPv4Address):
        return "must have a valid IPv4 address"
    return None


def _is_address(host: str, kind: type[ipaddress.IPv4Address | ipaddress.IPv6Address]) -> bool:
    try:
        address = kind(host)
    except ValueError:
        return False
    return getattr(address, "scope_id", None) is None


def fault_in_header_name(name: str) -> str | None:
    """Return what is wrong with the name of a header, or nothing."""
    if len(name) > MAX_HEADER_NAME_CHARACTERS or not _TOKEN.fullmatch(name):
        return f"is not a header name of 1 to {MAX_HEADER_NAME_CHARACTERS} characters"
    lowered = name.lower()
    if lowered in _RESERVED_HEADERS or lowered.startswith(_RESERVED_PREFIXES):
        return "is reserved; choose another header"
    return None


def fault_in_header_value(value: str) -> str | None:
    """Return what is wrong with the value of a header, or nothing."""
    if len(value) > MAX_HEADER_VALUE_CHARACTERS:
        return f"must have at most {MAX_HEADER_VALUE_CHARACTERS} characters"
    if not _HEADER_VALUE.fullmatch(value):
        return "must be visible ASCII characters, with spaces only between them"
    return None


def repeated(names: Iterable[str]) -> str | None:
    """Return the first name that stands there twice, upper and lower case being the same."""
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            return name
        seen.add(name.lower())
    return None


def open_versions(lives: Iterable[VersionLife], now: datetime, *, expired_too: bool) -> dict[int, datetime | None]:
    """Return the versions that triggers may be of, and when each expires; an edit keeps its version to the end."""
    allowed = {VersionStatus.RELEASED, *({VersionStatus.EXPIRED} if expired_too else ())}
    return {life.version: life.expires_at for life in lives if life.status(now) in allowed}


def closed_versions(lives: Iterable[VersionLife], now: datetime) -> dict[int, str]:
    """Return the versions that no new webhook may be of, each with the reason."""
    reasons = {
        VersionStatus.UNRELEASED: "is not released yet",
        VersionStatus.PLANNED: "is not released yet",
        VersionStatus.EXPIRED: "has expired",
    }
    statuses = {life.version: life.status(now) for life in lives}
    return {version: reasons[status] for version, status in statuses.items() if status in reasons}


def fault_in_trigger(
    name: str, versions: Iterable[int], closed: Mapping[int, str] = MappingProxyType({})
) -> str | None:
    """Return what is wrong with one trigger's REST name, or nothing.

    Args:
        name: As the client writes it.
        versions: Those that it may be of.
        closed: Those that it may not be of, each with the reason.
    """
    released = sorted(versions)
    try:
        trigger, version = parse_rest_name(name)
    except ValueError:
        trigger, version = Trigger.WORKSPACE_CREATED, None
    if version in released:
        return None
    if version is not None and version in closed:
        use = f"; use {rest_name(trigger, released[-1])}" if released else ""
        return f"is of webhook version {version}, which {closed[version]}{use}"
    allowed = ", ".join(rest_name(trigger, number) for number in released for trigger in Trigger)
    return f"is not a trigger; allowed are {allowed}"


def fault_in_triggers(names: list[str]) -> str | None:
    """Return what is wrong with triggers that are right one by one, or nothing."""
    if len(set(names)) != len(names):
        return "must be distinct"
    if len({parse_rest_name(name)[1] for name in names}) > 1:
        return "must all be of one version"
    return None


def read_triggers(names: Iterable[str]) -> tuple[tuple[Trigger, ...], int]:
    """Return the triggers and their one version, of names that were checked.

    Raises:
        ValueError: They were not.
    """
    parsed = [parse_rest_name(name) for name in names]
    versions = {version for _, version in parsed}
    (version,) = versions
    if version is None:
        raise ValueError("a trigger without a version")
    return tuple(trigger for trigger, _ in parsed), version
