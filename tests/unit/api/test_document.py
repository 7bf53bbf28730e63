"""The OpenAPI document: complete, with examples that its own schemas allow, and true to what is sent."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from coro_events.contract.bodies import VERSIONS
from coro_events.contract.retirement import retirement_headers
from coro_events.contract.triggers import TEST_TYPE, Trigger, rest_name
from deploy.generate import example_delivery
from services.api.app import make_routes
from services.api.docs.document import SECURITY, operations
from services.dispatcher.deliver.request import make_request

DOCUMENT: dict[str, Any] = make_routes().openapi()
OPERATIONS = {operation["operationId"]: operation for _, operation in operations(DOCUMENT)}
PATHS = {operation["operationId"]: path for path, operation in operations(DOCUMENT)}
OPEN = {"createAccessToken"}


def contents(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every JSON body that an operation takes or gives."""
    holders = [operation.get("requestBody", {}), *operation["responses"].values()]
    for holder in holders:
        for media_type, content in holder.get("content", {}).items():
            if media_type.endswith("json"):
                yield content


def allows(schema: dict[str, Any], example: Any) -> None:
    Draft202012Validator({**schema, "components": DOCUMENT["components"], "webhooks": DOCUMENT["webhooks"]}).validate(
        example
    )


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_an_operation_is_described_to_the_end(name: str) -> None:
    operation = OPERATIONS[name]
    assert operation["summary"]
    assert operation["description"]
    assert operation["tags"]
    undescribed = [one["name"] for one in operation.get("parameters", ()) if "description" not in one]
    assert all(f"{{{one}}}" in PATHS[name] for one in undescribed)
    assert {"400", "401", "500", "503"} <= operation["responses"].keys()
    assert "422" not in operation["responses"]
    if name not in OPEN:
        assert operation["security"] == [{scheme: [] for scheme in SECURITY}]
        assert "403" in operation["responses"]
    for content in contents(operation):
        allows(content["schema"], content["example"])


def test_receivers_are_told_of_every_type_of_every_version() -> None:
    expected = {rest_name(trigger, version) for trigger in Trigger for version in VERSIONS}
    assert set(DOCUMENT["webhooks"]) == expected | {f"{TEST_TYPE}.v{version}" for version in VERSIONS}


@pytest.mark.parametrize("name", sorted(DOCUMENT["webhooks"]))
def test_what_receivers_are_told_fits_its_example(name: str) -> None:
    content = DOCUMENT["webhooks"][name]["post"]["requestBody"]["content"]["application/json"]
    allows(content["schema"], content["example"])


def test_receivers_are_told_of_the_headers_that_are_sent() -> None:
    delivery, now = example_delivery(), datetime(2026, 3, 1, tzinfo=UTC)
    always = set(make_request(delivery, now).headers)
    delivery.target = replace(delivery.target, retirement=retirement_headers(now, now))
    when_it_expires = set(make_request(delivery, now).headers)
    told = {one["name"]: one["required"] for one in DOCUMENT["webhooks"]["workspaceCreated.v1"]["post"]["parameters"]}
    # The first two are plain HTTP; the third is the example's own.
    assert when_it_expires - told.keys() == {"User-Agent", "Content-Type", "Authorization"}
    assert told == {name: name in always for name in told}
    assert told.keys() <= when_it_expires


def references(node: Any) -> Iterator[str]:
    """Yield every reference below a node."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from references(item)


def test_no_reference_leads_nowhere() -> None:
    for reference in set(references(DOCUMENT)):
        node: Any = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            node = node[step.replace("~1", "/")]
        assert node
