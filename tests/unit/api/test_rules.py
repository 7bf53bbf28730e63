"""Which URLs, headers, secrets and triggers are accepted."""

import socket
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coro_events.rules.releasing import VersionLife
from services.api.webhooks import rules
from services.api.webhooks.hosts import address_in


@pytest.mark.parametrize(
    "url",
    [
        "https://billing.example.com",
        "https://billing.example.com:8443/hooks/coro?tenant=7&x=%20",
        "https://BILLING.example.com./a",
        "https://xn--bcher-kva.example/",
        "https://93.184.215.14/a",
        "https://[2606:4700:4700::1111]:8443/a",
        "https://my_host.example/",
        "https://a.example:65535",
    ],
)
def test_url_is_accepted_when_it_is_absolute_https(url: str) -> None:
    assert rules.fault_in_url(url, allow_http=False) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://billing.example.com",
        "ftp://billing.example.com",
        "//billing.example.com/a",
        "billing.example.com/a",
        "https:///a",
        "https://",
        "https:billing.example.com",
        "https://user@billing.example.com/",
        "https://user:word@billing.example.com/",
        "https://@billing.example.com/",
        "https://billing.example.com/#top",
        "https://billing.example.com/#",
        "https://billing.example.com:0/",
        "https://billing.example.com:/",
        "https://billing.example.com:65536/",
        "https://billing.example.com:-1/",
        "https://billing.example.com:8o/",
        "https://billing..example.com/",
        "https://-billing.example.com/",
        "https://" + "a" * 64 + ".example/",
        "https://" + "a." * 127 + "example/",
        "https://bücher.example/",
        "https://billing.example.com/a b",
        "https://billing.example.com/a\nb",
        "https://billing.example.com\\@evil.example/",
        "https://billing.example.com/\x00",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://127.1/",
        "https://134744072/",
        "https://8.8.2056/",
        "https://93.184.215.14./",
        "https://999.1.1.1/",
        "https://[::1/",
        "https://[fe80::1%25eth0]/",
        "https://[v1.x]/",
        "https://::1/",
        "",
    ],
)
def test_url_is_refused_when_it_could_be_misread(url: str) -> None:
    assert rules.fault_in_url(url, allow_http=False) is not None


def test_every_rule_that_a_url_breaks_is_named() -> None:
    fault = rules.fault_in_url("ftp://ada:secret@10.0.0.1:0/#part", allow_http=False) or ""
    assert fault.split(", and ") == [
        "must begin with https://",
        "must not hold a user or a password; use headers",
        "must not have a fragment (#)",
        "must have a port from 1 to 65535, or none",
        "leads to a private address",
    ]


def test_http_url_is_accepted_when_the_setting_allows_it() -> None:
    assert rules.fault_in_url("http://a.example:9000/a", allow_http=True) is None
    assert rules.fault_in_url("ftp://a.example:9000/a", allow_http=True) is not None


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.255.255.254", "2130706433", "0x7f000001", "0X7F000001", "017700000001"),
        *("0177.0.0.1", "0x7f.0.0.1", "127.0.1", "127.1", "0x7f.1", "127.0x1", "127.0.0.1.", "00000177.1"),
        *("[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]"),
    ],
)
def test_url_is_refused_by_its_rule_when_its_host_is_a_forbidden_address_in_any_notation(host: str) -> None:
    assert rules.fault_in_url(f"https://{host}:8443/a", allow_http=False) == "leads to a loopback address"


@pytest.mark.parametrize(
    ("host", "fault"),
    [
        ("10.0.0.1", "leads to a private address"),
        ("169.254.169.254", "leads to a metadata service address"),
        ("169.254.1.1", "leads to a link-local address, where metadata services live"),
        ("0", "leads to an unspecified address"),
        ("224.0.0.1", "leads to a multicast address"),
        ("100.64.0.1", "leads to a shared (carrier-grade NAT) address"),
        ("[fd00::1]", "leads to a private address"),
    ],
)
def test_refusal_names_the_rule_and_no_address(host: str, fault: str) -> None:
    assert rules.fault_in_url(f"https://{host}/", allow_http=False) == fault


def test_address_is_accepted_when_its_network_is_allowed_and_it_is_written_plainly() -> None:
    allowed = [ip_network("127.0.0.0/8"), ip_network("::1/128")]

    for host in ("127.0.0.1:9000", "[::1]"):
        assert rules.fault_in_url(f"https://{host}/a", allow_http=False, allowed=allowed) is None
    assert rules.fault_in_url("https://10.0.0.1/a", allow_http=False, allowed=allowed) is not None
    for odd in ("127.1", "2130706433"):
        fault = rules.fault_in_url(f"https://{odd}/a", allow_http=False, allowed=allowed)
        assert fault == "must have a valid IPv4 address"


@pytest.mark.parametrize(
    "host",
    [
        "a.example",
        "1.example",
        "0x7f",
        "08.1.1.1",
        "256.1.1.1",
        "1.2.3.4.5",
        "1..2",
        "4294967296",
        "1.2.65536",
        "",
        "1.16777216",
        "0x",
        "-1",
        "+1",
        "1_0",
    ],
)
def test_notation_is_read_as_the_c_library_reads_it(host: str) -> None:
    try:
        expected: str | None = socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        expected = None
    found = address_in(host)
    assert (None if found is None else str(found)) == expected


@given(number=st.integers(0, 2**32 - 1), parts=st.integers(1, 4), bases=st.tuples(*[st.sampled_from("odx")] * 4))
def test_every_notation_of_an_address_is_the_same_address(number: int, parts: int, bases: tuple[str, ...]) -> None:
    heads = [number >> (24 - 8 * place) & 0xFF for place in range(parts - 1)]
    values = [*heads, number & (0xFFFFFFFF >> (8 * (parts - 1)))]
    written = {"o": "0{:o}", "d": "{:d}", "x": "{:#x}"}
    host = ".".join(written[base].format(value) for base, value in zip(bases, values, strict=False))
    assert address_in(host) == IPv4Address(number)


@pytest.mark.parametrize("name", ["Authorization", "X-Api-Key", "Cookie", "Date", "x_custom", "X-Coroner"])
def test_header_is_accepted_when_nobody_else_owns_it(name: str) -> None:
    assert rules.fault_in_header_name(name) is None


@pytest.mark.parametrize(
    "name",
    [
        *("Connection", "keep-alive", "Proxy-Authenticate", "PROXY-AUTHORIZATION", "TE", "Trailer", "Upgrade"),
        *("Transfer-Encoding", "Host", "Content-Type", "content-length", "Content-Whatever", "User-Agent"),
        *("X-Coro-Signature", "x-coro-hook-id", "webhook-id", "Webhook-Signature", "Expect", "Sunset"),
        *("", "a b", "a:b", "a\r\nb", "naïve", "a" * 101),
    ],
)
def test_header_is_refused_when_it_is_reserved_or_no_name(name: str) -> None:
    assert rules.fault_in_header_name(name) is not None


@pytest.mark.parametrize("value", ["Basic dXNlcjpwYXNz", "a", "a b  c", "~!@#$%^&*()"])
def test_header_value_is_accepted_when_it_is_visible_ascii(value: str) -> None:
    assert rules.fault_in_header_value(value) is None


@pytest.mark.parametrize("value", ["", " a", "a ", "a\r\nX: y", "a\nb", "a\x00", "a\tb", "ä", "a" * 2049, "a\n"])
def test_header_value_is_refused_when_it_could_break_the_request(value: str) -> None:
    assert rules.fault_in_header_value(value) is not None


@pytest.mark.parametrize("text", ["a\x00", "a\n", "a\x85", "\ud800", " ", "\u2003"])
def test_line_is_refused_when_it_is_blank_or_holds_controls(text: str) -> None:
    assert rules.fault_in_line(text) is not None


def test_description_may_have_several_lines_but_no_controls() -> None:
    assert rules.fault_in_description("one\r\n\ttwo") is None
    assert rules.fault_in_description("one\x00") is not None


def test_names_are_repeated_when_they_differ_in_case_only() -> None:
    assert rules.repeated(["X-A", "x-b", "x-a"]) == "x-a"
    assert rules.repeated(["X-A", "X-B"]) is None


@pytest.mark.parametrize(
    "name", ["workspaceCreated", "workspaceCreated.v2", "workspaceCreated.v01", "test.v1", "", "x"]
)
def test_trigger_is_refused_with_the_allowed_ones_when_it_is_not_of_a_released_version(name: str) -> None:
    fault = rules.fault_in_trigger(name, [1])

    assert fault is not None
    assert "workspaceCreated.v1" in fault
    assert "protectedDevicesCountUpdated.v1" in fault
    assert ".v2" not in fault


def test_trigger_of_a_closed_version_is_refused_with_the_reason_and_what_to_use() -> None:
    at = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
    before, after = at - timedelta(days=1), at + timedelta(days=1)
    lives = [
        VersionLife(1, before, at),
        VersionLife(2, before, after),
        VersionLife(3, after, None),
        VersionLife(4, None, None),
    ]
    allowed, closed = rules.open_versions(lives, at, expired_too=False), rules.closed_versions(lives, at)

    assert allowed == {2: after}
    assert rules.open_versions(lives, at, expired_too=True) == {1: at, 2: after}
    assert rules.fault_in_trigger("subscriptionUpdated.v2", allowed, closed) is None
    for version, why in ((1, "has expired"), (3, "is not released yet"), (4, "is not released yet")):
        fault = rules.fault_in_trigger(f"subscriptionUpdated.v{version}", allowed, closed)
        assert fault == f"is of webhook version {version}, which {why}; use subscriptionUpdated.v2"
    assert rules.fault_in_trigger("subscriptionUpdated.v1", {}, closed) == "is of webhook version 1, which has expired"


def test_triggers_are_refused_when_they_are_repeated_or_mixed() -> None:
    assert rules.fault_in_triggers(["workspaceCreated.v1", "workspaceCreated.v1"]) == "must be distinct"
    assert rules.fault_in_triggers(["workspaceCreated.v1", "subscriptionUpdated.v2"]) == "must all be of one version"
    assert rules.fault_in_triggers(["workspaceCreated.v1", "subscriptionUpdated.v1"]) is None


def test_reading_triggers_fails_when_they_have_no_version() -> None:
    with pytest.raises(ValueError, match="without a version"):
        rules.read_triggers(["workspaceCreated"])
