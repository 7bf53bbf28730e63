"""Tells of webhook versions, and releases them."""

from coro_events.rules.releasing import Unreleasable, VersionLife, Why
from coro_events.runtime.clock import Clock
from coro_events.store.releasing import Use
from services.api.access.service import Caller
from services.api.deliveries.rules import instant_of
from services.api.paging import Page
from services.api.refusals import Fault, InvalidInput, NoSuchVersion, Refusal, WrongVersionState
from services.api.versions.ports import VersionStore
from services.api.versions.schemas import VersionRelease, VersionView
from services.api.webhooks.view import milliseconds_or_none

_UNUSED = Use(webhooks=0, workspaces=0)


class Versions:
    """Reads webhook versions and releases them."""

    def __init__(self, *, store: VersionStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def page(self, caller: Caller) -> Page[VersionView]:
        """Return all versions, with who uses them at and below the workspace of the request."""
        lives, uses = await self._store.lives(), await self._store.uses(caller.workspace_id)
        views = [self._view(life, uses.get(life.version, _UNUSED)) for life in lives]
        return Page(items=views, totalElements=len(views))

    async def release(self, caller: Caller, version: int, body: VersionRelease) -> VersionView:
        """Release a version; the same release again changes nothing.

        Raises:
            NoSuchVersion: There is no such version.
            InvalidInput: The time is out of bounds.
            WrongVersionState: It has another time already, or an earlier version is not released.
        """
        at = None if body.at is None else instant_of(body.at)
        decided = await self._store.release(version, at=at, now=self._clock.now(), actor=caller.actor)
        if isinstance(decided, Unreleasable):
            raise _refusal(decided)
        (view,) = [view for view in (await self.page(caller)).items if view.version == version]
        return view

    def _view(self, life: VersionLife, use: Use) -> VersionView:
        return VersionView(
            version=life.version,
            status=life.status(self._clock.now()).value,
            released=milliseconds_or_none(life.released_at),
            expires=milliseconds_or_none(life.expires_at),
            webhooks=use.webhooks,
            workspaces=use.workspaces,
        )


def _refusal(unreleasable: Unreleasable) -> Refusal:
    match unreleasable.why:
        case Why.UNKNOWN:
            return NoSuchVersion(unreleasable.sentence)
        case Why.TIME:
            return InvalidInput(Fault("at", unreleasable.sentence))
        case Why.ORDER:
            return WrongVersionState(unreleasable.sentence)
