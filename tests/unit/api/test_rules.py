"""Which URLs, headers, secrets and triggers are accepted."""

import pytest

from services.api.webhooks import rules


@pytest.mark.parametrize(
    "url",
    [
        "https://billing.example.com",
        "https://billing.example.com:8443/hooks/coro?tenant=7&x=%20",
        "https://BILLING.example.com./a",
        "https://xn--bcher-kva.example/",
        "https://203.0.113.7/a",
        "https://[2001:db8::1]:8443/a",
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


def test_http_url_is_accepted_when_the_setting_allows_it() -> None:
    assert rules.fault_in_url("http://127.0.0.1:9000/a", allow_http=True) is None
    assert rules.fault_in_url("ftp://127.0.0.1:9000/a", allow_http=True) is not None


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


def test_triggers_are_refused_when_they_are_repeated_or_mixed() -> None:
    assert rules.fault_in_triggers(["workspaceCreated.v1", "workspaceCreated.v1"]) == "must be distinct"
    assert rules.fault_in_triggers(["workspaceCreated.v1", "subscriptionUpdated.v2"]) == "must all be of one version"
    assert rules.fault_in_triggers(["workspaceCreated.v1", "subscriptionUpdated.v1"]) is None


def test_reading_triggers_fails_when_they_have_no_version() -> None:
    with pytest.raises(ValueError, match="without a version"):
        rules.read_triggers(["workspaceCreated"])
