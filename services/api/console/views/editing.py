"""What the form of a webhook shows: what was typed, what is wrong with it, and examples of what will be sent."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from coro_events.contract.bodies import render_body
from coro_events.contract.data import DATA_MODELS
from coro_events.contract.place import Place
from coro_events.contract.triggers import Trigger
from services.api.console.texts import webhooks as words
from services.api.console.views.typed import Typed
from services.api.refusals import Fault
from services.api.webhooks.rules import MAX_HEADERS

# As of nobody: the same in every example.
_HOOK_ID = "9d3c1f52-7a55-4bb0-8a7e-0a7c5a4f2e90"
_WORKSPACE_ID = "exampletradecom_7K2P_b"
_PLACE = Place("Example Trade", "child", ("examplemsp_4F8D_b", _WORKSPACE_ID), 42)
_AT = datetime(2026, 3, 1, 9, tzinfo=UTC)


class HeaderRow(NamedTuple):
    """A row of the headers."""

    number: int
    name: str
    value: str
    fault: str


class TriggerBox(NamedTuple):
    """A box to tick, and what will be sent."""

    value: str
    label: str
    description: str
    is_ticked: bool
    example: str


@dataclass(frozen=True, slots=True)
class Editing:
    """The form.

    Attributes:
        faults: By field: the sentence beneath it.
        summary: All of them: id of the field, and the sentence.
        is_new: Whether it creates a webhook.
    """

    typed: Typed
    headers: tuple[HeaderRow, ...]
    may_add_header: bool
    triggers: tuple[TriggerBox, ...]
    faults: dict[str, str]
    summary: tuple[tuple[str, str], ...]
    is_new: bool
    action: str
    cancel: str
    version: str


def editing_of(
    typed: Typed, faults: Iterable[Fault], *, version: int, action: str, cancel: str, other: str = ""
) -> Editing:
    """Return what the form shows.

    Args:
        typed: What stands in it.
        faults: As the API tells them.
        version: Of the webhook.
        action: Where the form goes.
        cancel: Where one gets without it.
        other: What is wrong with no field.
    """
    by_field: dict[str, str] = {}
    by_header: dict[int, str] = {}
    summary = [("", other)] if other else []
    for fault in faults:
        field, _, rest = fault.field.partition(".")
        message = _sentence(fault.message)
        if field == "headers" and rest and (row := _row(typed, rest)) is not None:
            by_header.setdefault(row, message)
            summary.append((f"header-name-{row + 1}", f"Header {row + 1} {fault.message}"))
        else:
            by_field.setdefault(field, message)
            label = words.FIELD_LABELS.get(field, field)
            target = "trigger-0" if field == "triggers" else "header-name-1" if field == "headers" else field
            summary.append((target, f"{label} {fault.message}"))
    return Editing(
        typed=typed,
        headers=tuple(
            HeaderRow(number, header.name, header.value, by_header.get(number - 1, ""))
            for number, header in enumerate(typed.headers, start=1)
        ),
        may_add_header=len(typed.headers) < MAX_HEADERS,
        triggers=tuple(
            TriggerBox(one.value, one.label, one.description, one.value in typed.triggers, example)
            for one, example in zip(Trigger, examples(version), strict=True)
        ),
        faults=by_field,
        summary=tuple(summary),
        is_new=not typed.revision,
        action=action,
        cancel=cancel,
        version=f"v{version}",
    )


@lru_cache(maxsize=8)
def examples(version: int) -> tuple[str, ...]:
    """Return an example body of each trigger, as it is sent, with line breaks for people."""
    return tuple(_example(version, trigger) for trigger in Trigger)


def _example(version: int, trigger: Trigger) -> str:
    body = render_body(
        version,
        event_type=trigger.value,
        hook_id=_HOOK_ID,
        workspace_id=_WORKSPACE_ID,
        occurred_at=_AT,
        data=DATA_MODELS[trigger].example().to_bytes(),
        place=_PLACE,
    )
    return json.dumps(json.loads(body), indent=2, ensure_ascii=False)


def _row(typed: Typed, name: str) -> int | None:
    """Return which row a fault is about: the last of that name, as the one that came second is the fault."""
    # A long name comes shortened.
    sought = name.removesuffix("…").lower()
    rows = [
        number
        for number, header in enumerate(typed.headers)
        if header.name.lower() == sought or (name.endswith("…") and header.name.lower().startswith(sought[:50]))
    ]
    return rows[-1] if rows else None


def _sentence(message: str) -> str:
    return f"{message[:1].upper()}{message[1:]}."
