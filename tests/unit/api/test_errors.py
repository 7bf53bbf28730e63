"""Every refusal has its status, and every route its guard and its documented errors."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from services.api.access.guard import guard
from services.api.app import make_routes
from services.api.errors import ANSWERS, answer_of
from services.api.refusals import InvalidInput, NotFound, NotSignedIn, Refusal

OPEN_PATHS = {"/openapi.json", "/docs", "/docs/{name}", "/oauth/token"}


def heirs(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    """Return every class below one."""
    for heir in kind.__subclasses__():
        yield heir
        yield from heirs(heir)


@pytest.fixture
def web() -> FastAPI:
    """Return the API without its rooms, which no request reaches; the console is not a part of it."""
    return make_routes()


def test_table_names_every_refusal() -> None:
    assert set(ANSWERS) == set(heirs(Refusal))


def test_validation_is_400_and_not_422() -> None:
    assert answer_of(InvalidInput).status == 400
    assert answer_of(NotSignedIn).headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert answer_of(NotFound).status == 404


def test_every_route_but_sign_in_is_guarded(web: FastAPI) -> None:
    guarded = {
        route.path: guard in {dependency.dependency for dependency in getattr(route, "dependencies", None) or ()}
        for route in iter_route_contexts(web.routes)
    }

    assert {path for path, is_guarded in guarded.items() if not is_guarded} == OPEN_PATHS
    assert "/v1/settings/webhooks/{webhook_id}/test" in guarded
    assert "/v1/settings/webhooks/{webhook_id}/replays/{replay_id}" in guarded


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the operations of an OpenAPI document with their names."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_document_tells_every_operation_and_its_errors(web: FastAPI) -> None:
    document = web.openapi()

    assert document["openapi"].startswith("3.1")
    told = dict(operations(document))
    # Which ones there are is told by docs/openapi.json, which is compared with the code.
    assert "POST /oauth/token" in told
    for name, operation in told.items():
        assert operation["operationId"].isalnum(), name
        assert operation["summary"], name
        assert operation["tags"], name
        assert "422" not in operation["responses"], name
        problem = operation["responses"]["500"]["content"]["application/problem+json"]
        assert problem["schema"] == {"$ref": "#/components/schemas/Problem"}, name
    assert {"Problem", "FieldFault"} <= set(document["components"]["schemas"])


def test_document_says_which_operations_need_another_role_than_their_method_suggests(web: FastAPI) -> None:
    told = dict(operations(web.openapi()))

    assert told["GET /v1/settings/webhooks/{webhook_id}/test"]["x-coro-role"] == "administrator"
