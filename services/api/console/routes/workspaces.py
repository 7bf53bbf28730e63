"""The workspace switcher: a page of its own, whose list the header fetches too."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from services.api.console import paths
from services.api.console.routes.moving import at
from services.api.console.texts import workspaces as words
from services.api.console.views.layout import layout_of
from services.api.console.views.workspaces import options_of
from services.api.console.visitor import Viewer
from services.api.workspaces.ports import Wanted, WorkspaceOrder

router = APIRouter()

PAGE_SIZE = 20

Search = Annotated[str, Query(max_length=200)]
PageNumber = Annotated[int, Query(ge=0, le=1_000_000)]


@router.get(at(paths.WORKSPACES))
async def workspaces_page(visitor: Viewer, search: Search = "", page: PageNumber = 0, part: str = "") -> Response:
    """Show the workspaces that the visitor reaches, or the list alone."""
    sought = "".join(filter(str.isprintable, search)).strip()
    wanted = Wanted(top=visitor.session.user.workspace_id, search=sought or None)
    found = await visitor.rooms.workspaces.page(wanted, page=page, page_size=PAGE_SIZE, order=WorkspaceOrder.NAME)
    options = options_of(found, visitor, search=sought, page=page, page_size=PAGE_SIZE)
    if part:
        return visitor.pages.page("workspaces_list.html", options=options)
    return visitor.pages.page("workspaces.html", layout=layout_of(visitor, words.TITLE), options=options)
