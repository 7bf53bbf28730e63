"""The page that tells who gets into which operation: made from the routes, proven by a test that calls them all."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from services.api.access.guard import guard, is_for_services_too, role_needed
from services.api.access.roles import Role, allows

ALLOWED = "yes"

# What is refused whatever the operation is.
STRANGERS: Mapping[str, str] = MappingProxyType(
    {
        "no token": "401",
        "expired credential": "401",
        "revoked credential": "401",
        "administrator of a sibling workspace": "403",
    }
)
MEMBERS: Mapping[str, Role] = MappingProxyType(
    {
        "viewer": Role.VIEWER,
        "administrator": Role.ADMINISTRATOR,
        "super admin": Role.SUPER_ADMIN,
        "service": Role.SERVICE,
    }
)

_HEAD = """\
# Who may call what

One dependency stands before every operation but sign-in (`services/api/access/guard.py`). It asks, in this order: is
there a good token, is its credential still in force, is the credential's workspace the one that the header `Workspace`
names or one above it, is its role enough. This page is generated from the routes; a test calls each operation as each
of these callers and compares the answers.

`yes` means that the caller gets in, and the answer is the operation's own. The last four callers have a credential of
the workspace that the request is about, or of one above it. A service keeps the tree of workspaces, releases webhook
versions, and does nothing that is for people.
"""

_FOOT = """\
What needs no token: `POST /oauth/token`, where failed attempts are counted by client id and by address (429 when there
are too many), and the description of the API itself. A credential that calls too often gets 429 everywhere.
"""


class Operation(NamedTuple):
    """A guarded operation, and what each kind of caller gets."""

    method: str
    path: str
    answers: Mapping[str, str]


def guarded_operations(app: FastAPI) -> Iterator[Operation]:
    """Return every operation behind the guard, in the order of the document."""
    for route in iter_route_contexts(app.routes):
        if guard not in {one.dependency for one in getattr(route, "dependencies", None) or ()}:
            continue
        extra = getattr(route, "openapi_extra", None)
        for method in sorted(route.methods or ()):
            yield Operation(method, route.path or "", _answers(extra, method))


def _answers(extra: Mapping[str, Any] | None, method: str) -> Mapping[str, str]:
    needed = role_needed(extra, method)
    members = {
        name: ALLOWED if allows(role, needed) or (role is Role.SERVICE and is_for_services_too(extra)) else "403"
        for name, role in MEMBERS.items()
    }
    return {**STRANGERS, **members}


def overview(app: FastAPI) -> str:
    """Return the page, as Markdown."""
    callers = [*STRANGERS, *MEMBERS]
    head = ["| operation | " + " | ".join(callers) + " |", "| --- |" + " --- |" * len(callers)]
    rows = [
        f"| `{one.method} {one.path}` | " + " | ".join(one.answers[caller] for caller in callers) + " |"
        for one in guarded_operations(app)
    ]
    return "\n".join([_HEAD, *head, *rows, "", _FOOT])
