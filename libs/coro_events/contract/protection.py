"""The data of events about protected users and protected devices."""

from typing import Annotated

from pydantic import Field

from coro_events.contract.fields import (
    Count,
    Email,
    Flag,
    Milliseconds,
    OptionalText,
    Text,
    Wire,
    Word,
    shown,
)

# As many as one call of the API may add; larger changes come as several events.
MAX_ITEMS = 200


class ProtectedUser(Wire):
    """A user as the users API shows it."""

    id: Text
    email: Email
    name: OptionalText | None = None
    protected_user: Flag


class ProtectedDevice(Wire):
    """A device as the devices API shows it."""

    device_id: Text
    enrollment_code: Text
    hostname: OptionalText | None = None
    os_type: Word | None = None
    os_version: OptionalText | None = None
    device_model: OptionalText | None = None
    app_version: OptionalText | None = None
    activation_time: Milliseconds | None = Field(default=None, description="UTC, in milliseconds.")


Users = Annotated[list[ProtectedUser], Field(min_length=1, max_length=MAX_ITEMS)]
Devices = Annotated[list[ProtectedDevice], Field(min_length=1, max_length=MAX_ITEMS)]

_USER = {
    "id": "65f2a1c09be14d7c3a90e8b1",
    "email": "ada@trade.example.com",
    "name": "Ada Example",
    "protectedUser": True,
}
_SECOND_USER = {
    "id": "65f2a1c09be14d7c3a90e8b2",
    "email": "ben@trade.example.com",
    "name": "Ben Example",
    "protectedUser": True,
}
_DEVICE = {
    "deviceId": "0b9f5a52-6c1e-4a55-9d0f-2f8d4c7e1a36",
    "enrollmentCode": "7K2P310552874406",
    "hostname": "ADA-LAPTOP",
    "osType": "WINDOWS",
    "osVersion": "11 Pro 24H2",
    "deviceModel": "Latitude 5450",
    "appVersion": "3.8.214.1",
    "activationTime": 1772355600000,
}


class ProtectedUsersAdded(Wire):
    """Users are added to protection."""

    model_config = shown({"users": [_USER, _SECOND_USER]})

    users: Users


class ProtectedUsersUpdated(Wire):
    """Details of protected users change, or they are removed from protection."""

    model_config = shown({"users": [{**_USER, "protectedUser": False}]})

    users: Users


class ProtectedUsersDeleted(Wire):
    """Protected users are deleted from the workspace."""

    model_config = shown({"users": [{**_SECOND_USER, "protectedUser": False}]})

    users: Users


class ProtectedDevicesAdded(Wire):
    """Devices are added to protection."""

    model_config = shown({"devices": [_DEVICE]})

    devices: Devices


class ProtectedDevicesUpdated(Wire):
    """Details of protected devices change."""

    model_config = shown({"devices": [{**_DEVICE, "appVersion": "3.8.301.2"}]})

    devices: Devices


class ProtectedDevicesDeleted(Wire):
    """Protected devices are deleted from the workspace."""

    model_config = shown({"devices": [_DEVICE]})

    devices: Devices


class ProtectedUsersCountUpdated(Wire):
    """The number of protected users changes."""

    model_config = shown({"protectedCount": 42, "previousProtectedCount": 40})

    protected_count: Count
    previous_protected_count: Count | None = None


class ProtectedDevicesCountUpdated(Wire):
    """The number of protected devices changes."""

    model_config = shown({"protectedCount": 57, "previousProtectedCount": 56})

    protected_count: Count
    previous_protected_count: Count | None = None
