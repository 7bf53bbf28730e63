"""The overview: which workspaces of the tree have webhooks that need somebody."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from services.api.console import places
from services.api.console.routes.moving import at
from services.api.console.texts import overview as words
from services.api.console.views.layout import layout_of
from services.api.console.views.overview import overview_of
from services.api.console.visitor import Viewer

router = APIRouter()

PAGE_SIZE = 25


@router.get(at(places.OVERVIEW))
async def overview_page(
    visitor: Viewer,
    show: Annotated[str, Query(max_length=20)] = "",
    page: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    """Show how the webhooks of the tree do."""
    ailing_only = show != "all"
    found = await visitor.rooms.attention.overview(
        visitor.caller, ailing_only=ailing_only, page=page, page_size=PAGE_SIZE
    )
    overview = overview_of(found, visitor, ailing_only=ailing_only, page=page, page_size=PAGE_SIZE)
    layout = layout_of(visitor, words.TITLE, section="overview")
    return visitor.pages.page("overview.html", layout=layout, overview=overview)
