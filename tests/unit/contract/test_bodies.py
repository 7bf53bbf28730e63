"""Bodies by version, held to golden files: a byte that changes is a change of the published format."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from pkgutil import iter_modules

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coro_events.contract import versions
from coro_events.contract.bodies import PLACED_VERSIONS, TEST_DATA, VERSIONS, render_body
from coro_events.contract.data import DATA_MODELS
from coro_events.contract.place import Place
from coro_events.contract.triggers import TEST_TYPE, Trigger
from coro_events.contract.versions import v1, v2
from coro_events.errors import ContractError

GOLDEN = Path(__file__).parent / "golden"
TYPES = [*(trigger.value for trigger in Trigger), TEST_TYPE]
HOOK = "9d3c1f52-7a55-4bb0-8a7e-0a7c5a4f2e90"
PLACE = Place(
    display_name="Example Trade",
    type="child",
    path=("examplemsp_4F8D_b", "exampletradecom_7K2P_b"),
    sequence=1042,
)


def data_of(event_type: str) -> bytes:
    return TEST_DATA if event_type == TEST_TYPE else DATA_MODELS[Trigger(event_type)].example().to_bytes()


def body_of(version: int, event_type: str) -> bytes:
    return render_body(
        version,
        event_type=event_type,
        hook_id=HOOK,
        workspace_id="exampletradecom_7K2P_b",
        occurred_at=datetime(2026, 3, 1, 9, 0, 0, 123999, tzinfo=UTC),
        data=data_of(event_type),
        place=replace(PLACE, sequence=None) if event_type == TEST_TYPE else PLACE,
    )


@pytest.mark.parametrize("event_type", TYPES)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_body_is_the_golden_one(version: int, event_type: str) -> None:
    assert body_of(version, event_type) == (GOLDEN / f"v{version}" / f"{event_type}.json").read_bytes().rstrip(b"\n")


@pytest.mark.parametrize("version", VERSIONS)
def test_every_golden_file_belongs_to_a_type(version: int) -> None:
    assert sorted(file.stem for file in (GOLDEN / f"v{version}").iterdir()) == sorted(TYPES)


def test_every_file_of_a_version_is_in_the_table() -> None:
    assert [f"v{version}" for version in VERSIONS] == [module.name for module in iter_modules(versions.__path__)]


def test_a_v1_body_has_the_published_fields_and_no_others() -> None:
    body = json.loads(body_of(1, "workspace-created"))
    assert list(body) == ["id", "timestamp", "workspaceId", "type", "data"]
    assert (body["id"], body["timestamp"], body["type"]) == (HOOK, 1772355600123, "workspace-created")


def test_a_v2_body_tells_place_and_number_and_no_other_fields() -> None:
    body = json.loads(body_of(2, "workspace-created"))
    assert list(body) == ["id", "timestamp", "type", "version", "sequence", "workspace", "data"]
    assert (body["version"], body["sequence"]) == (2, 1042)
    assert body["workspace"] == {
        "id": "exampletradecom_7K2P_b",
        "displayName": "Example Trade",
        "type": "child",
        "path": ["examplemsp_4F8D_b", "exampletradecom_7K2P_b"],
    }


def test_a_test_takes_no_number_in_its_workspace() -> None:
    assert json.loads(body_of(2, TEST_TYPE))["sequence"] is None


@pytest.mark.parametrize("version", VERSIONS)
def test_a_body_without_a_place_is_refused_by_exactly_the_versions_that_tell_it(version: int) -> None:
    def body(place: Place | None) -> bytes:
        return render_body(
            version,
            event_type="t",
            hook_id="h",
            workspace_id="w",
            occurred_at=datetime(2026, 3, 1, tzinfo=UTC),
            data=b"{}",
            place=place,
        )

    if version in PLACED_VERSIONS:
        with pytest.raises(ContractError, match="needs the workspace's place"):
            body(None)
    else:
        assert body(None) == body(PLACE)


def test_a_test_body_says_that_it_is_one() -> None:
    assert json.loads(TEST_DATA)["test"] is True


def test_an_unknown_version_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ContractError, match="webhook version 77 is unknown; known: 1"):
        body_of(77, "workspace-created")


@settings(deadline=None)
@given(workspace_id=st.text(), hook_id=st.text(), event_type=st.text())
def test_a_v1_body_is_json_when_its_texts_hold_any_characters(workspace_id: str, hook_id: str, event_type: str) -> None:
    body = json.loads(v1.render(event_type, hook_id, workspace_id, datetime(2026, 3, 1, tzinfo=UTC), b"{}"))
    assert (body["workspaceId"], body["id"], body["type"]) == (workspace_id, hook_id, event_type)


@settings(deadline=None)
@given(path=st.lists(st.text(), min_size=1), display_name=st.text(), sequence=st.none() | st.integers(min_value=1))
def test_a_v2_body_is_json_when_its_texts_hold_any_characters(
    path: list[str], display_name: str, sequence: int | None
) -> None:
    place = Place(display_name=display_name, type="child", path=tuple(path), sequence=sequence)
    body = json.loads(v2.render("t", "h", path[-1], datetime(2026, 3, 1, tzinfo=UTC), b"{}", place))
    assert body["workspace"] == {"id": path[-1], "displayName": display_name, "type": "child", "path": path}
    assert body["sequence"] == sequence


@settings(deadline=None)
@given(milliseconds=st.integers(min_value=0, max_value=253_402_300_799_999))
def test_a_timestamp_never_loses_a_millisecond_in_any_version(milliseconds: int) -> None:
    occurred_at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    for render in (v1.render, v2.render):
        assert json.loads(render("t", "h", "w", occurred_at, b"{}", PLACE))["timestamp"] == milliseconds
