"""Which model the data of an event type must satisfy, and how it is read and checked."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pydantic import ValidationError

from coro_events.contract.fields import Flag, Text, Wire, shown
from coro_events.contract.protection import (
    ProtectedDevicesAdded,
    ProtectedDevicesCountUpdated,
    ProtectedDevicesDeleted,
    ProtectedDevicesUpdated,
    ProtectedUsersAdded,
    ProtectedUsersCountUpdated,
    ProtectedUsersDeleted,
    ProtectedUsersUpdated,
)
from coro_events.contract.triggers import Trigger
from coro_events.contract.workspaces import SubscriptionUpdated, WorkspaceCreated, WorkspaceStatusUpdated
from coro_events.errors import InvalidEvent

DATA_MODELS: Final[Mapping[Trigger, type[Wire]]] = MappingProxyType(
    {
        Trigger.WORKSPACE_CREATED: WorkspaceCreated,
        Trigger.WORKSPACE_STATUS_UPDATED: WorkspaceStatusUpdated,
        Trigger.SUBSCRIPTION_UPDATED: SubscriptionUpdated,
        Trigger.PROTECTED_USERS_ADDED: ProtectedUsersAdded,
        Trigger.PROTECTED_USERS_UPDATED: ProtectedUsersUpdated,
        Trigger.PROTECTED_USERS_DELETED: ProtectedUsersDeleted,
        Trigger.PROTECTED_USERS_COUNT_UPDATED: ProtectedUsersCountUpdated,
        Trigger.PROTECTED_DEVICES_ADDED: ProtectedDevicesAdded,
        Trigger.PROTECTED_DEVICES_UPDATED: ProtectedDevicesUpdated,
        Trigger.PROTECTED_DEVICES_DELETED: ProtectedDevicesDeleted,
        Trigger.PROTECTED_DEVICES_COUNT_UPDATED: ProtectedDevicesCountUpdated,
    }
)


class TestData(Wire):
    """The data of a test delivery; nothing happened, so nobody should act upon it."""

    __test__ = False  # The name begins with "Test", yet it is none for pytest.

    model_config = shown(
        {"message": "This is a test webhook from Coro. Nothing happened and nothing is to be done.", "test": True}
    )

    message: Text
    test: Flag


def check_data(trigger: Trigger, workspace_id: str, data: object) -> Wire:
    """Return the data as the trigger's model, with unknown fields dropped.

    Args:
        trigger: Decides the model.
        workspace_id: The workspace the event happened in.
        data: Parsed JSON, or a model.

    Raises:
        InvalidEvent: The data breaks the schema; the reason names field and rule, never a value.
    """
    try:
        checked = DATA_MODELS[trigger].model_validate(data)
    except ValidationError as error:
        raise InvalidEvent(reason_of(error)) from None
    # The row of the tree is made from the data: it must be the workspace the event speaks for.
    if isinstance(checked, WorkspaceCreated) and checked.id != workspace_id:
        raise InvalidEvent("data.id: must be the event's workspace")
    return checked


def read_data(trigger: Trigger, data: bytes) -> Wire:
    """Return an event's canonical data bytes as the trigger's model.

    Raises:
        InvalidEvent: The bytes are not the data of this trigger.
    """
    try:
        return DATA_MODELS[trigger].model_validate_json(data)
    except ValidationError as error:
        raise InvalidEvent(reason_of(error)) from None


def reason_of(error: ValidationError) -> str:
    """Return the first fault as `data.field: rule`; values never show, they may be personal data."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    first = faults[0]
    path = ".".join(("data", *(str(step) for step in first["loc"])))
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{path}: {first['msg']}{more}"
