"""The data of events about a workspace and its subscription."""

from enum import StrEnum
from typing import Annotated, Self, TypeVar

from pydantic import AfterValidator, Field, model_validator

from coro_events.contract.fields import (
    Count,
    Domain,
    Flag,
    Text,
    Wire,
    Word,
    WorkspaceId,
    WorkspaceStatus,
    WorkspaceType,
    shown,
)

Item = TypeVar("Item")


class Bundle(StrEnum):
    """The published bundles of a subscription."""

    ENDPOINT_PROTECTION = "endpointProtection"
    MANAGED_ENDPOINT_PROTECTION = "managedEndpointProtection"
    EMAIL_PROTECTION = "emailProtection"
    MANAGED_EMAIL_PROTECTION = "managedEmailProtection"
    SASE = "sase"
    MANAGED_SASE = "managedSase"
    CORO_ESSENTIALS = "coroEssentials"
    MANAGED_CORO_ESSENTIALS = "managedCoroEssentials"
    CORO_CLASSIC = "coroClassic"
    MANAGED_CORO_CLASSIC = "managedCoroClassic"
    CORO_COMPLETE = "coroComplete"
    MANAGED_CORO_COMPLETE = "managedCoroComplete"


def _distinct(items: list[Item]) -> list[Item]:
    if len(set(items)) != len(items):
        raise ValueError("items must be distinct")
    return items


Bundles = Annotated[
    list[Bundle],
    Field(max_length=12, json_schema_extra={"uniqueItems": True}),
    AfterValidator(_distinct),
]
AddOns = Annotated[
    list[Word],
    Field(max_length=50, json_schema_extra={"uniqueItems": True}),
    AfterValidator(_distinct),
]


class Modules(Wire):
    """Which modules a subscription has switched on; one that is left out is off."""

    cloud_security: Flag = False
    endpoint_security: Flag = False
    email_security: Flag = False
    endpoint_detection_and_response: Flag = False
    user_data_governance: Flag = False
    endpoint_data_governance: Flag = False
    mobile_device_management: Flag = False
    network: Flag = False
    secure_web_gateway: Flag = False
    security_awareness_training: Flag = False
    managed_service: Flag = False


class WorkspaceCreated(Wire):
    """A workspace is created; the dispatcher creates its own row of the tree from this."""

    model_config = shown(
        {
            "id": "exampletradecom_7K2P_b",
            "companyName": "Example Trade Ltd",
            "displayName": "Example Trade",
            "type": "child",
            "domain": "trade.example.com",
            "parentWorkspaceId": "examplemsp_4F8D_b",
            "status": "new",
            "maxProtectedUsers": 250,
        }
    )

    id: WorkspaceId = Field(description="The new workspace; the same as the event's workspace.")
    company_name: Text
    display_name: Text
    type: WorkspaceType
    domain: Domain
    # No default: a child whose parent was forgotten would silently leave its MSP's webhooks.
    parent_workspace_id: WorkspaceId | None = Field(description="The workspace above; null for a root.")
    status: WorkspaceStatus
    max_protected_users: Count | None = None

    @model_validator(mode="after")
    def _check_parent(self) -> Self:
        if self.type is WorkspaceType.CHILD and self.parent_workspace_id is None:
            raise ValueError("a child workspace needs parentWorkspaceId")
        if self.parent_workspace_id == self.id:
            raise ValueError("parentWorkspaceId must differ from id")
        return self


class WorkspaceStatusUpdated(Wire):
    """A workspace moves to another status, for example from trial to subscription."""

    model_config = shown(
        {
            "companyName": "Example Trade Ltd",
            "displayName": "Example Trade",
            "domain": "trade.example.com",
            "previousStatus": "trial",
            "status": "subscription",
        }
    )

    company_name: Text | None = None
    display_name: Text | None = None
    domain: Domain | None = None
    previous_status: WorkspaceStatus | None = None
    status: WorkspaceStatus


class Subscription(Wire):
    """What a subscription consists of."""

    subscription_type: Word | None = None
    modules: Modules
    addons: AddOns
    bundles: Bundles


_MODULES_BEFORE = {
    "cloudSecurity": True,
    "endpointSecurity": True,
    "emailSecurity": True,
    "endpointDetectionAndResponse": False,
    "userDataGovernance": False,
    "endpointDataGovernance": False,
    "mobileDeviceManagement": False,
    "network": False,
    "secureWebGateway": False,
    "securityAwarenessTraining": False,
    "managedService": False,
}


class SubscriptionUpdated(Wire):
    """Modules, add-ons or bundles of a workspace's subscription are switched on or off."""

    model_config = shown(
        {
            "companyName": "Example Trade Ltd",
            "domain": "trade.example.com",
            "subscriptionType": "monthly",
            "modules": {**_MODULES_BEFORE, "endpointDetectionAndResponse": True},
            "addons": ["secureMessages", "inboundGateway"],
            "bundles": ["coroEssentials"],
            "previous": {
                "subscriptionType": "monthly",
                "modules": _MODULES_BEFORE,
                "addons": ["secureMessages"],
                "bundles": ["coroEssentials"],
            },
        }
    )

    company_name: Text | None = None
    domain: Domain | None = None
    subscription_type: Word | None = None
    modules: Modules
    addons: AddOns
    bundles: Bundles
    previous: Subscription | None = Field(default=None, description="The same before the change.")
