"""What the routes reach: the services of the rooms, made once by the composition root."""

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request

from services.api.access.service import Access
from services.api.activity.service import Activities
from services.api.attention.service import Attention
from services.api.credentials.service import ApiCredentials
from services.api.deliveries.service import Replays, Retries
from services.api.drafts.previewing import Previews
from services.api.drafts.service import Drafts
from services.api.explain.service import Explain
from services.api.history.service import Histories
from services.api.idempotency.service import Idempotency
from services.api.pulse.service import Pulse
from services.api.sessions.front import Front
from services.api.sessions.openid import OpenId
from services.api.sessions.service import Sessions
from services.api.streams import Live
from services.api.versions.service import Versions
from services.api.webhooks.rotating import Rotating
from services.api.webhooks.service import Webhooks
from services.api.webhooks.signing import Signing
from services.api.webhooks.testing import Testing
from services.api.workspaces.service import Workspaces
from services.api.workspaces.sync import Syncs


@dataclass(frozen=True, slots=True)
class Rooms:
    """The services that answer requests."""

    access: Access
    credentials: ApiCredentials
    webhooks: Webhooks
    rotating: Rotating
    idempotency: Idempotency
    testing: Testing
    replays: Replays
    retries: Retries
    histories: Histories
    explain: Explain
    activities: Activities
    workspaces: Workspaces
    syncs: Syncs
    sessions: Sessions
    openid: OpenId | None
    front: Front
    pulse: Pulse
    versions: Versions
    drafts: Drafts
    previews: Previews
    attention: Attention
    signing: Signing
    live: Live


def rooms_of(request: Request) -> Rooms:
    """Return the services of the application that a request came to."""
    return cast("Rooms", request.app.state.rooms)


RoomsHere = Annotated[Rooms, Depends(rooms_of)]
