"""What travels: workspaces as services write them and as everybody in the tree reads them."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from coro_events.contract.envelope import read_workspace_id
from services.api.problems import FieldFault
from services.api.refusals import Fault
from services.api.webhooks.rules import fault_in_line

MAX_ID_CHARACTERS = 128
MAX_NAME_CHARACTERS = 255

Type = Literal["regular", "channel", "child"]
Status = Literal["new", "trial", "subscription", "inactive"]
NotificationsLevel = Literal["none", "parent", "all", "localAdmins"]


def _check_id(value: str) -> str:
    try:
        return read_workspace_id("id", value)
    except ValueError:
        raise ValueError("must not hold control characters") from None


def _check_line(value: str) -> str:
    if fault := fault_in_line(value):
        raise ValueError(fault)
    return value


def id_faults(value: str) -> list[Fault]:
    """Return what is wrong with a workspace id that stands in a path; a list of at most one."""
    try:
        read_workspace_id("id", value)
    except ValueError as error:
        return [Fault("id", str(error).removeprefix("id: "))]
    return []


WorkspaceId = Annotated[str, Field(min_length=1, max_length=MAX_ID_CHARACTERS), AfterValidator(_check_id)]
DisplayName = Annotated[str, Field(min_length=1, max_length=MAX_NAME_CHARACTERS), AfterValidator(_check_line)]

_TYPE_TEXT = "`channel` may hold others; `child` is a customer of a channel; `regular` is a single company."
_PARENT_TEXT = "The workspace above: a channel at or below the one of the request. Null for a root only."
_LEVEL_TEXT = "Whose admins get mail about its webhooks: `localAdmins` its own, `parent` of those above, `all` both."


class _Written(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", strict=True)


class WorkspaceWrite(_Written):
    """A workspace as it shall be from now on."""

    type: Type = Field(description=_TYPE_TEXT)
    display_name: DisplayName = Field(examples=["Example Trade"])
    # No default: a child whose parent was forgotten would silently leave its MSP's webhooks.
    parent_workspace_id: WorkspaceId | None = Field(description=_PARENT_TEXT, examples=["examplemsp_4F8D_b"])
    status: Status = Field(description="`inactive` when trial or subscription have run out.")
    notifications_level: NotificationsLevel | None = Field(
        default=None, description=f"{_LEVEL_TEXT} Left out, it stays as it is, and is `all` in a new workspace."
    )


class WorkspaceLine(WorkspaceWrite):
    """One line of a sync."""

    id: WorkspaceId = Field(examples=["exampletradecom_7K2P_b"])


class WorkspaceMove(_Written):
    """Where a workspace shall stand, with all below it."""

    parent_workspace_id: WorkspaceId = Field(description=_PARENT_TEXT, examples=["examplemsp_4F8D_b"])


class WorkspaceView(BaseModel):
    """A workspace."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    id: str
    type: Type
    display_name: str
    parent_workspace_id: str | None
    path: list[str] = Field(description="Workspace ids from the root to the workspace itself.")
    status: Literal["new", "trial", "subscription", "inactive", "unknown"] = Field(
        description="`unknown` where only workspaces below it have been told of so far."
    )
    notifications_level: NotificationsLevel = Field(description=_LEVEL_TEXT, examples=["all"])
    archived: int | None = Field(description="Since when; UTC, in milliseconds.")
    created: int = Field(description="UTC, in milliseconds.")
    updated: int = Field(description="UTC, in milliseconds.")


class SyncProgress(BaseModel):
    """One line of the answer to a sync; the last one is `applied`, `refused` or `failed`."""

    event: Literal["received", "staged", "fault", "applied", "refused", "failed"]
    lines: int | None = Field(default=None, description="How many so far, with `received` and `staged`.")
    line: int | None = Field(default=None, description="Which one is faulty, from 1, with `fault`.")
    errors: list[FieldFault] | None = Field(default=None, description="What is wrong with it, with `fault`.")
    created: int | None = Field(default=None, description="With `applied`, as the next three.")
    moved: int | None = None
    updated: int | None = None
    unchanged: int | None = None
    faults: int | None = Field(default=None, description="How many there are in all, with `refused`.")
    detail: str | None = Field(default=None, description="With `refused` and `failed`.")
