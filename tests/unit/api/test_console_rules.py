"""Cookies, addresses and charts of the console: pure."""

import pytest
from fastapi import Response

from services.api.console import paths
from services.api.console.views.charts import HEIGHT, paths_of, percent
from services.api.pulse.service import SILENCE, Beat, Hour
from services.api.sessions.cookies import SESSION, Cookies


def test_cookie_is_of_this_host_alone_where_there_is_https() -> None:
    response = Response()
    Cookies(secure=True).write(response, SESSION, "token", life_s=60)
    (cookie,) = response.headers.getlist("set-cookie")
    assert cookie.startswith("__Host-coro-session=token;")
    for part in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert part in cookie
    assert "Domain" not in cookie


@pytest.mark.parametrize(
    ("address", "is_ours"),
    [
        ("/portal/settings/connectors/webhooks?workspace=acme&search=x", True),
        ("/portal", False),
        ("/portalled/evil", False),
        ("/portal/\\evil.example", False),
        ("/portal//evil.example", False),
        ("/portal/\n", False),
        ("//portal/", False),
        ("https://evil.example/portal/", False),
        ("", False),
    ],
)
def test_only_addresses_of_the_console_are_led_to(address: str, *, is_ours: bool) -> None:
    assert paths.is_ours(address) is is_ours


def test_link_leaves_out_what_is_empty_and_keeps_what_is_odd_apart() -> None:
    assert (
        paths.link("/portal/x", "a&b", {"search": "", "page": None, "sort": "-a"})
        == "/portal/x?workspace=a%26b&sort=-a"
    )


@pytest.mark.parametrize(
    ("share", "shown"),
    [(1.0, "100 %"), (0.0, "0 %"), (0.9999, "99.9 %"), (0.0001, "0.1 %"), (0.5, "50 %"), (2 / 3, "66.7 %")],
)
def test_only_all_is_a_hundred_per_cent(share: float, shown: str) -> None:
    assert percent(share) == shown


def test_chart_stays_within_its_height_when_both_parts_are_raised_to_be_seen() -> None:
    hours = (*[Hour()] * 22, Hour(1, 1_000), Hour(1_000, 1))
    tones = dict(paths_of(Beat(hours)))
    assert tones.keys() == {"good", "bad", "none"}
    for path in tones.values():
        for bar in path.split("M")[1:]:
            ground, _, height = bar.partition("v-")
            assert 0 <= float(height) <= float(ground.split()[1]) + 0.1 <= HEIGHT + 0.1


def test_silence_has_no_share() -> None:
    assert SILENCE.share is None
    assert dict(paths_of(SILENCE)).keys() == {"none"}
