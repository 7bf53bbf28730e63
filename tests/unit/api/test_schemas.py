"""What the bodies of requests may hold, and how their faults are told."""

import json
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from services.api.faults import MAX_FAULTS, faults_of
from services.api.webhooks.rules import MASK, BodyRules
from services.api.webhooks.schemas import WebhookCreate, WebhookUpdate
from tests.unit.api.bodies import make_body


def faults_in(body: Any, model: type[BaseModel] = WebhookCreate, rules: BodyRules | None = None) -> dict[str, str]:
    """Return the faults of a body by field; none where it is accepted."""
    try:
        model.model_validate_json(json.dumps(body), context=rules)
    except ValidationError as error:
        return dict(faults_of(error.errors()))
    return {}


def test_body_is_accepted_when_it_holds_the_required_fields() -> None:
    assert faults_in(make_body()) == {}


def test_body_is_accepted_when_everything_is_at_its_limit() -> None:
    body = make_body(
        name="n" * 100,
        description="d" * 500,
        url="https://a.example/" + "p" * 2030,
        secret="s" * 256,
        headers={f"X-{number}": "v" for number in range(20)},
    )

    assert faults_in(body) == {}


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("name", "", "must not be empty"),
        ("name", "n" * 101, "must have at most 100 characters"),
        ("name", None, "must be a string"),
        ("name", "a\x00b", "must not hold control characters"),
        ("description", "d" * 501, "must have at most 500 characters"),
        ("applyToAllDescendants", "true", "must be true or false"),
        ("applyToAllDescendants", 1, "must be true or false"),
        ("url", "https://a.example/" + "p" * 2031, "must have at most 2048 characters"),
        ("url", "http://a.example/", "must begin with https://"),
        ("secret", "s" * 7, "must have at least 8 characters"),
        ("secret", "s" * 257, "must have at most 256 characters"),
        ("secret", MASK, "must not be the mask; there is no stored value to keep"),
        ("headers", {f"X-{number}": "v" for number in range(21)}, "must have at most 20 entries"),
        ("headers", {"X-A": "1", "x-a": "2"}, "must not name a header twice; upper and lower case are the same"),
        ("headers", [], "must be an object"),
        ("triggers", [], "must not be empty"),
        ("triggers", "workspaceCreated.v1", "must be an array"),
        ("triggers", ["workspaceCreated.v1"] * 2, "must be distinct"),
    ],
)
def test_field_is_refused_when_it_breaks_its_rule(field: str, value: object, message: str) -> None:
    assert faults_in(make_body(**{field: value})) == {field: message}


def test_every_fault_is_named_when_there_are_several() -> None:
    body = make_body(url="x", secret="s", colour="red", headers={"Host": "a", "X-A": MASK}, triggers=["nope.v1"])
    del body["name"]

    faults = faults_in(body)

    assert set(faults) == {"name", "url", "secret", "colour", "headers.Host", "headers.X-A", "triggers.0"}
    assert faults["name"] == "is required"
    assert faults["colour"] == "is not a known field"


def test_no_value_is_repeated_when_it_is_refused() -> None:
    told = faults_in(make_body(secret="hush\x00hush!", headers={"X-A": "hush\nhush"}, url="https://hush@a.example"))

    assert len(told) == 3
    assert "hush" not in str(told)


def test_faults_are_bounded_when_a_body_holds_nothing_else() -> None:
    errors = [{"loc": ("u" * 1000 + str(number),), "type": "extra_forbidden", "msg": ""} for number in range(60)]

    faults = faults_of([*errors[:1], *({**error, "loc": (str(at),)} for at, error in enumerate(errors))])

    assert len(faults) == MAX_FAULTS
    assert len(faults[0].field) == 101


def test_second_version_is_accepted_when_it_is_released() -> None:
    rules = BodyRules(versions={1: None, 2: None})

    assert faults_in(make_body(triggers=["workspaceCreated.v2"]), rules=rules) == {}
    mixed = faults_in(make_body(triggers=["workspaceCreated.v1", "subscriptionUpdated.v2"]), rules=rules)
    assert mixed == {"triggers": "must all be of one version"}


def test_update_accepts_an_answer_sent_back() -> None:
    answer = make_body(
        secret=MASK,
        headers={"X-A": MASK},
        status="disabled",
        id="4c0d5b0e-3f6d-4e0a-9a55-5a0f8b8f6c11",
        workspaceId="acme",
        version=1,
        created=1,
        updated=1,
        expires=None,
        draftOf=None,
        disabledReason=None,
        lastDelivery={"id": "x"},
        lastTest=None,
    )

    assert faults_in(answer, WebhookUpdate) == {}


def test_update_refuses_unknown_fields_and_states() -> None:
    faults = faults_in(make_body(colour="red", status="paused"), WebhookUpdate)

    assert set(faults) == {"colour", "status"}


def test_secrets_do_not_show_when_a_body_is_printed() -> None:
    body = WebhookCreate.model_validate(make_body(headers={"X-A": "hush"}))

    assert "0123456789abcdef" not in repr(body)
    assert "hush" not in repr(body)
