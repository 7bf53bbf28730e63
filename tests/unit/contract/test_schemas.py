"""The published schemas agree with what is sent and with what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from coro_events.contract.bodies import VERSIONS
from coro_events.contract.data import DATA_MODELS
from coro_events.contract.fields import Wire
from coro_events.contract.schemas import asyncapi, body_schema, data_schema
from coro_events.contract.topics import TOPICS
from coro_events.contract.triggers import Trigger
from coro_events.contract.webhook_events import WEBHOOK_EVENT_MODELS
from coro_events.errors import ContractError
from tests.unit.contract.records import example_of
from tests.unit.contract.test_bodies import GOLDEN, TYPES

MODELS: list[type[Wire]] = [*DATA_MODELS.values(), *WEBHOOK_EVENT_MODELS.values()]


@pytest.mark.parametrize("event_type", TYPES)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_golden_body_satisfies_its_schema(version: int, event_type: str) -> None:
    schema = body_schema(version, event_type)
    Draft202012Validator.check_schema(schema)
    body = json.loads((GOLDEN / f"v{version}" / f"{event_type}.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(body)
    for field in body:
        assert not Draft202012Validator(schema).is_valid({key: body[key] for key in body if key != field})


@pytest.mark.parametrize("trigger", Trigger)
def test_an_example_satisfies_its_schema_and_an_empty_one_does_not(trigger: Trigger) -> None:
    validator = Draft202012Validator(data_schema(trigger))
    validator.validate(example_of(trigger))
    assert not validator.is_valid({})


@pytest.mark.parametrize("model", MODELS)
def test_an_example_is_full(model: type[Wire]) -> None:
    extra: Any = model.model_config["json_schema_extra"]
    assert model.example().model_dump(mode="json", by_alias=True) == extra["examples"][0]


def test_a_body_schema_of_an_unknown_version_is_refused() -> None:
    with pytest.raises(ContractError, match="webhook version 77 is unknown"):
        body_schema(77, "test")


def test_the_asyncapi_document_names_every_topic_and_resolves() -> None:
    document = asyncapi("1.2.3")
    assert sorted(channel["address"] for channel in document["channels"].values()) == sorted(TOPICS)
    resolver = Registry().with_resource("", DRAFT202012.create_resource(document)).resolver()
    references = list(_references(document))
    assert references
    for reference in references:
        resolver.lookup(reference)


def test_every_asyncapi_example_satisfies_its_message() -> None:
    document = asyncapi("1.2.3")
    for name, message in document["components"]["messages"].items():
        for example in message.get("examples", []):
            pointer = {"$ref": f"#/components/messages/{name}/payload/schema"}
            Draft202012Validator({**document, **pointer}).validate(example["payload"])


def test_a_number_is_told_of_every_event_and_of_no_test() -> None:
    for event_type in TYPES:
        body = json.loads((GOLDEN / "v2" / f"{event_type}.json").read_text(encoding="utf-8"))
        wrong = {**body, "sequence": 1 if event_type == "test" else None}
        assert not Draft202012Validator(body_schema(2, event_type)).is_valid(wrong)


def test_the_schemas_in_docs_are_the_ones_of_the_models() -> None:
    folder = Path(__file__).parents[3] / "docs" / "schemas"
    for trigger in Trigger:
        assert json.loads((folder / "events" / f"{trigger}.json").read_text(encoding="utf-8")) == data_schema(trigger)
    for version in VERSIONS:
        for event_type in TYPES:
            written = json.loads((folder / f"v{version}" / f"{event_type}.json").read_text(encoding="utf-8"))
            assert written == body_schema(version, event_type)


def _references(node: Any) -> Any:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from _references(value)
    elif isinstance(node, list):
        for item in node:
            yield from _references(item)
