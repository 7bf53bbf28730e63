"""Addresses of databases."""

import pytest

from coro_events.store.engine import async_url


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_address_names_the_driver(scheme: str) -> None:
    assert async_url(f"{scheme}://u:p%40@h:1/d?x=1") == "postgresql+asyncpg://u:p%40@h:1/d?x=1"


@pytest.mark.parametrize("url", ["mysql://h/d", "", "h:1/d", "postgresql+psycopg://h/d"])
def test_other_kinds_are_refused_without_showing_the_address(url: str) -> None:
    with pytest.raises(ValueError, match=r"^CORO_DATABASE_URL must begin with postgresql://$"):
        async_url(url)
