"""Webhooks are not saved when their URL leads where nobody is called."""

import pytest

from coro_events.store.unit import Database
from services.api.settings import ApiSettings
from tests.integration.api.calls import WEBHOOKS, Api, messages
from tests.support.resolving import FakeResolver
from tests.unit.api.bodies import make_body

FORBIDDEN = {
    "https://127.0.0.1/a": "leads to a loopback address",
    "https://2130706433/a": "leads to a loopback address",
    "https://[::ffff:10.0.0.1]/a": "leads to a private address",
    "https://inside.example/a": "leads to a private address",
    "https://mixed.example/a": "leads to a metadata service address",
}


@pytest.mark.parametrize(("url", "message"), FORBIDDEN.items())
async def test_create_is_refused_by_field_and_rule_when_the_url_leads_to_a_forbidden_address(
    api: Api, database: Database, url: str, message: str
) -> None:
    answer = await api.call("POST", WEBHOOKS, json=make_body(url=url))

    assert answer.status_code == 400
    assert answer.json()["type"] == "urn:coro:problem:invalid"
    assert answer.json()["errors"] == [{"field": "url", "message": message}]
    assert await messages(database) == []
    for address in ("127.0.0.1", "10.", "169.254"):
        assert address not in answer.text


@pytest.mark.parametrize(("url", "message"), FORBIDDEN.items())
async def test_edit_is_refused_when_the_new_url_leads_to_a_forbidden_address(api: Api, url: str, message: str) -> None:
    webhook = await api.create()

    answer = await api.put(webhook, url=url)

    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"field": "url", "message": message}]
    assert (await api.get(f"{WEBHOOKS}/{webhook['id']}")).json()["url"] == webhook["url"]


async def test_webhook_is_saved_when_its_name_is_public_or_unknown(api: Api, resolver: FakeResolver) -> None:
    webhook = await api.create(url="https://public.example/a")

    assert (await api.put(webhook, url="https://unknown.example/a")).status_code == 200
    assert resolver.asked == ["public.example", "unknown.example"]


async def test_name_is_not_looked_up_again_when_the_url_stays(api: Api, resolver: FakeResolver) -> None:
    webhook = await api.create(url="https://public.example/a")

    assert (await api.put(webhook, name="Invoices", status="disabled")).status_code == 200
    assert resolver.asked == ["public.example"]


class TestAllowedNetworks:
    """With a network opened by the setting."""

    @pytest.fixture
    def settings(self, settings: ApiSettings) -> ApiSettings:
        return settings.model_copy(update={"allowed_networks": "10.0.0.0/8"})

    async def test_webhook_is_saved_when_the_setting_allows_the_network(self, api: Api) -> None:
        await api.create(url="https://inside.example/a")
        await api.create(name="Literal", url="https://10.9.9.9/a")

        answer = await api.call("POST", WEBHOOKS, json=make_body(name="Other", url="https://mixed.example/a"))
        assert answer.status_code == 400
