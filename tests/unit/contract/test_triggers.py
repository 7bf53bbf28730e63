"""The eleven triggers and their names."""

import re

import pytest

from coro_events.contract.topics import DEFAULT_PARTITIONS, REJECTED_HEADER_PREFIX, REJECTED_HEADERS, partition_key
from coro_events.contract.triggers import TEST_TYPE, Trigger, parse_rest_name, rest_name


def test_there_are_eleven_triggers_and_the_test_is_none_of_them() -> None:
    assert len(Trigger) == 11
    assert TEST_TYPE not in set(Trigger)


@pytest.mark.parametrize("trigger", Trigger)
def test_every_trigger_has_the_words_of_the_console(trigger: Trigger) -> None:
    assert trigger.label.lower().replace(" ", "-") == trigger.value
    assert trigger.description.endswith(".")


@pytest.mark.parametrize("trigger", Trigger)
def test_a_rest_name_reads_back(trigger: Trigger) -> None:
    assert parse_rest_name(rest_name(trigger, 12)) == (trigger, 12)
    assert parse_rest_name(trigger.rest) == (trigger, None)


def test_rest_names_are_the_published_ones() -> None:
    assert rest_name(Trigger.WORKSPACE_CREATED, 1) == "workspaceCreated.v1"
    assert rest_name(Trigger.PROTECTED_DEVICES_COUNT_UPDATED, 2) == "protectedDevicesCountUpdated.v2"


@pytest.mark.parametrize(
    "name",
    ["", "workspace-created", "workspaceCreated.v0", "workspaceCreated.v01", "workspaceCreated.1", "WorkspaceCreated",
     "workspaceCreated.v1\n", "workspaceCreated.v99999", "workspaceCreated.v\uff11", "workspaceRenamed.v1"],
)  # fmt: skip
def test_a_strange_name_is_refused_and_not_repeated(name: str) -> None:
    with pytest.raises(ValueError, match=re.escape("not the name of a trigger")):
        parse_rest_name(name)


def test_everything_of_a_workspace_has_one_key() -> None:
    assert partition_key("exämple") == "exämple".encode()
    assert DEFAULT_PARTITIONS == 6


def test_the_headers_of_a_rejected_record_share_their_prefix() -> None:
    assert all(name.startswith(REJECTED_HEADER_PREFIX) for name in REJECTED_HEADERS)
