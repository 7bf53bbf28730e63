"""The dependencies of every page: who looks, at which workspace, with which role; forms must be ours besides."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from services.api.access.roles import Role, allows
from services.api.access.service import Caller
from services.api.console import paths
from services.api.console.forms import CSRF, Form, read_form, require_own_origin
from services.api.console.keeping import keep
from services.api.console.pages import Pages
from services.api.edge import wide_of
from services.api.refusals import ForeignForm, NoSession
from services.api.rooms import Rooms, RoomsHere
from services.api.sessions.cookies import SESSION
from services.api.sessions.ports import Session
from services.api.sessions.service import same_form
from services.api.workspaces.schemas import WorkspaceView


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who looks at a page.

    Attributes:
        caller: The person in the workspace of the page, as every room knows callers.
        workspace: That workspace.
        address: Of the page, as it was asked for.
    """

    session: Session
    caller: Caller
    workspace: WorkspaceView
    rooms: Rooms
    pages: Pages
    address: str

    @property
    def now(self) -> datetime:
        """The present."""
        return self.rooms.front.clock.now()

    @property
    def may_change(self) -> bool:
        """Whether the person may change webhooks here."""
        return allows(self.caller.role, Role.ADMINISTRATOR)

    def may(self, role: Role) -> bool:
        """Return whether the person has a role, or a higher one."""
        return allows(self.caller.role, role)

    def link(self, path: str, **query: object) -> str:
        """Return the address of a page about the same workspace."""
        return paths.link(path, self.caller.workspace_id, query)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who has sent a form, and what it says."""

    visitor: Visitor
    form: Form


async def session_of(request: Request, rooms: Rooms) -> Session | None:
    """Return the session of the browser, as long as it lasts."""
    return await rooms.sessions.current(rooms.front.cookies.read(request, SESSION))


def visitor(needed: Role = Role.VIEWER) -> Callable[[Request, Rooms], Awaitable[Visitor]]:
    """Return the dependency of a page that takes a role.

    It raises NoSession where nobody is signed in, and refuses as the access room does.
    """

    async def visit(request: Request, rooms: RoomsHere) -> Visitor:
        session = await session_of(request, rooms)
        if session is None:
            raise NoSession
        return await _visitor(request, rooms, session, needed)

    return visit


def sender(needed: Role = Role.ADMINISTRATOR) -> Callable[[Request, Rooms], Awaitable[Sender]]:
    """Return the dependency of a form that takes a role; it also raises ForeignForm."""

    async def send(request: Request, rooms: RoomsHere) -> Sender:
        require_own_origin(request, rooms.front.origin)
        session = await session_of(request, rooms)
        form = await read_form(request)
        if session is None:
            keep(request, form)
            raise NoSession
        if not same_form(session, form.text(CSRF)):
            # Perhaps of the session before: somebody has signed in again in another tab.
            keep(request, form)
            raise ForeignForm
        return Sender(await _visitor(request, rooms, session, needed), form)

    return send


async def _visitor(request: Request, rooms: Rooms, session: Session, needed: Role) -> Visitor:
    member = session.user.member
    asked = request.query_params.get(paths.WORKSPACE) or member.workspace_id
    wide = wide_of(request.scope)
    wide.client_id = f"user:{session.user.id}"
    caller = await rooms.access.member(member, workspace_id=asked, needed=needed)
    wide.workspace = caller.workspace_id
    workspace = await rooms.workspaces.one(caller, caller.workspace_id)
    query = request.url.query
    address = request.url.path + (f"?{query}" if query else "")
    return Visitor(session, caller, workspace, rooms, pages_of(request), address)


def pages_of(request: Request) -> Pages:
    """Return the templates of the application that a request came to."""
    pages: Pages = request.app.state.pages
    return pages


PagesHere = Annotated[Pages, Depends(pages_of)]
Viewer = Annotated[Visitor, Depends(visitor(Role.VIEWER))]
Administrator = Annotated[Visitor, Depends(visitor(Role.ADMINISTRATOR))]
SentByAnyone = Annotated[Sender, Depends(sender(Role.VIEWER))]
SentByAdministrator = Annotated[Sender, Depends(sender(Role.ADMINISTRATOR))]
SuperAdmin = Annotated[Visitor, Depends(visitor(Role.SUPER_ADMIN))]
SentBySuperAdmin = Annotated[Sender, Depends(sender(Role.SUPER_ADMIN))]
