"""Makes pages of templates: strict about what is undefined, and everything escaped."""

import hashlib
from collections.abc import Mapping
from importlib import import_module, resources
from pkgutil import iter_modules
from types import SimpleNamespace
from typing import Any

from fastapi import Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from services.api.console import paths, texts
from services.api.console.headers import HTTPS, PAGE, SECURITY

_MEDIA_TYPES: Mapping[str, str] = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
# A file's name carries its hash, so a changed one has another address.
_FOR_EVER = "public, max-age=31536000, immutable"


class Pages:
    """The templates and the files beside them, read once."""

    def __init__(self, *, https: bool) -> None:
        """Make them; over https, browsers are told to come by https only."""
        self._headers = {**PAGE, **(HTTPS if https else {})}
        self._assets = _assets()
        self._environment = Environment(
            loader=PackageLoader("services.api.console"),
            autoescape=select_autoescape(default=True, default_for_string=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals.update(t=_words(), paths=paths, link=paths.link, asset=self.asset)

    def page(self, template: str, *, status: int = 200, **shown: Any) -> HTMLResponse:
        """Return a page, or a part of one."""
        return HTMLResponse(self.part(template, **shown), status_code=status, headers=self._headers)

    def part(self, template: str, **shown: Any) -> str:
        """Return the text of a part of a page."""
        return self._environment.get_template(template).render(shown)

    def asset(self, name: str) -> str:
        """Return the address of a file, which changes with its content."""
        return f"{paths.STATIC}/{_digest(self._assets[name])}/{name}"

    def file(self, digest: str, name: str) -> Response | None:
        """Return a file; none where there is none of that name and content."""
        content = self._assets.get(name)
        if content is None or _digest(content) != digest:
            return None
        headers = {**SECURITY, "Cache-Control": _FOR_EVER}
        return Response(content, media_type=_MEDIA_TYPES[name.rpartition(".")[2]], headers=headers)


def _assets() -> Mapping[str, bytes]:
    folder = resources.files("services.api.console") / "static"
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.name.rpartition(".")[2] in _MEDIA_TYPES}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def _words() -> SimpleNamespace:
    """Return the modules of texts by name, so that a template writes `t.webhooks.TITLE`."""
    names = [module.name for module in iter_modules(texts.__path__)]
    return SimpleNamespace(**{name: import_module(f"{texts.__name__}.{name}") for name in names})
