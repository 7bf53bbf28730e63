"""Stylesheet, script and icon; and where the console begins."""

from fastapi import APIRouter, Response
from starlette.exceptions import HTTPException

from services.api.console import paths
from services.api.console.routes.moving import at, go
from services.api.console.visitor import PagesHere

router = APIRouter()


@router.get("/")
async def start() -> Response:
    """Lead to the first page."""
    return go(paths.HOME)


@router.get(at(paths.STATIC) + "/{digest}/{name}")
async def file(digest: str, name: str, pages: PagesHere) -> Response:
    """Return a file."""
    found = pages.file(digest, name)
    if found is None:
        raise HTTPException(404)
    return found
