"""Redirects: after each form the browser is led to a page, so that reloading it sends nothing again."""

from fastapi import Response

from services.api.console.paths import ROOT


def at(path: str) -> str:
    """Return a path as the application below /portal knows it."""
    return path.removeprefix(ROOT)


def go(address: str) -> Response:
    """Lead the browser to a page."""
    return Response(status_code=303, headers={"Location": address, "Cache-Control": "no-store"})
