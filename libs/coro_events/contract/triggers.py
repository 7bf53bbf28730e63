"""The eleven triggers: the slug that travels, the REST name, and the words of the console."""

import re
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

# The type of a test delivery. It is no trigger: nobody subscribes to it and no service emits it.
TEST_TYPE: Final = "test"

_VERSIONED = re.compile(r"(?P<name>[A-Za-z]{1,64})(?:\.v(?P<version>[1-9][0-9]{0,3}))?", re.ASCII)


class Trigger(StrEnum):
    """What may set off a webhook; the value is the slug on the wire."""

    WORKSPACE_CREATED = "workspace-created"
    WORKSPACE_STATUS_UPDATED = "workspace-status-updated"
    SUBSCRIPTION_UPDATED = "subscription-updated"
    PROTECTED_USERS_ADDED = "protected-users-added"
    PROTECTED_USERS_UPDATED = "protected-users-updated"
    PROTECTED_USERS_DELETED = "protected-users-deleted"
    PROTECTED_USERS_COUNT_UPDATED = "protected-users-count-updated"
    PROTECTED_DEVICES_ADDED = "protected-devices-added"
    PROTECTED_DEVICES_UPDATED = "protected-devices-updated"
    PROTECTED_DEVICES_DELETED = "protected-devices-deleted"
    PROTECTED_DEVICES_COUNT_UPDATED = "protected-devices-count-updated"

    @property
    def rest(self) -> str:
        """Return the unversioned REST name, such as `workspaceCreated`."""
        first, *others = self.value.split("-")
        return first + "".join(word.capitalize() for word in others)

    @property
    def label(self) -> str:
        """Return the words of the console, such as `Workspace created`."""
        return _WORDS[self].label

    @property
    def description(self) -> str:
        """Return the console's sentence about when it fires."""
        return _WORDS[self].description


class _Words(NamedTuple):
    label: str
    description: str


_WORDS = MappingProxyType(
    {
        Trigger.WORKSPACE_CREATED: _Words("Workspace created", "A workspace is created."),
        Trigger.WORKSPACE_STATUS_UPDATED: _Words(
            "Workspace status updated",
            "A workspace subscription status is updated. "
            "The workspace status changes, for example from trial to subscription.",
        ),
        Trigger.SUBSCRIPTION_UPDATED: _Words(
            "Subscription updated",
            "A workspace subscription is updated. Modules or add-ons are enabled or disabled.",
        ),
        Trigger.PROTECTED_USERS_ADDED: _Words("Protected users added", "Protected users are added to the workspace."),
        Trigger.PROTECTED_USERS_UPDATED: _Words("Protected users updated", "Protected user details are updated."),
        Trigger.PROTECTED_USERS_DELETED: _Words(
            "Protected users deleted", "Protected users are deleted from the workspace."
        ),
        Trigger.PROTECTED_USERS_COUNT_UPDATED: _Words(
            "Protected users count updated",
            "The number of protected users is updated. Users are added or deleted.",
        ),
        Trigger.PROTECTED_DEVICES_ADDED: _Words(
            "Protected devices added", "Protected devices are added to the workspace."
        ),
        Trigger.PROTECTED_DEVICES_UPDATED: _Words("Protected devices updated", "Protected device details are updated."),
        Trigger.PROTECTED_DEVICES_DELETED: _Words(
            "Protected devices deleted", "Protected devices are deleted from the workspace."
        ),
        Trigger.PROTECTED_DEVICES_COUNT_UPDATED: _Words(
            "Protected devices count updated",
            "The number of protected devices is updated. Devices are added or deleted.",
        ),
    }
)

_BY_REST_NAME = MappingProxyType({trigger.rest: trigger for trigger in Trigger})


def rest_name(trigger: Trigger, version: int) -> str:
    """Return the trigger as REST writes it, such as `workspaceCreated.v1`."""
    return f"{trigger.rest}.v{version}"


def parse_rest_name(name: str) -> tuple[Trigger, int | None]:
    """Return the trigger and the version of a REST name; no suffix gives no version.

    Raises:
        ValueError: It is no trigger's name; the message does not repeat it.
    """
    match = _VERSIONED.fullmatch(name)
    trigger = _BY_REST_NAME.get(match["name"]) if match else None
    if match is None or trigger is None:
        raise ValueError("not the name of a trigger")
    version = match["version"]
    return trigger, int(version) if version else None
