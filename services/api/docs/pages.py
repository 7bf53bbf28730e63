"""The interactive documentation: Swagger UI from its own wheel, so that nothing comes from elsewhere."""

from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType
from typing import NamedTuple

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

PATH = "/docs"

# Nothing from elsewhere, and no script in the page itself.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": _POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
)

_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Coro Webhooks API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css">
<main id="ui"></main>
<noscript>This page needs JavaScript; <a href="openapi.json">openapi.json</a> says the same.</noscript>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</html>
"""

# The token stays in the page's memory; nothing is asked to judge the document.
_START = """\
"use strict";
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#ui",
  deepLinking: true,
  displayRequestDuration: true,
  filter: true,
  persistAuthorization: false,
  tryItOutEnabled: true,
  validatorUrl: null,
  syntaxHighlight: { activated: false },
});
"""


class Asset(NamedTuple):
    """A file of the page."""

    content: bytes
    media_type: str


def load_assets() -> Mapping[str, Asset]:
    """Return the page's files by name."""
    static = resources.files("fastapi_offline") / "static"
    return MappingProxyType(
        {
            "swagger-ui.css": Asset((static / "swagger-ui.css").read_bytes(), "text/css"),
            "swagger-ui-bundle.js": Asset((static / "swagger-ui-bundle.js").read_bytes(), "text/javascript"),
            "start.js": Asset(_START.encode(), "text/javascript"),
        }
    )


def install(app: FastAPI) -> None:
    """Let the application show its documentation at /docs, to anybody, as /openapi.json is."""
    assets = load_assets()

    async def page(_: Request) -> Response:
        return Response(_PAGE, media_type="text/html", headers=dict(_HEADERS))

    async def asset(request: Request) -> Response:
        found = assets.get(request.path_params["name"])
        if found is None:
            raise HTTPException(404)
        headers = {**_HEADERS, "Cache-Control": "public, max-age=3600"}
        return Response(found.content, media_type=found.media_type, headers=headers)

    app.add_route(PATH, page, methods=["GET"], include_in_schema=False)
    app.add_route(f"{PATH}/{{name}}", asset, methods=["GET"], include_in_schema=False)
