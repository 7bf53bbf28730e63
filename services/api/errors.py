"""One table: what a refusal, or any other error, looks like over HTTP."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from coro_events.errors import StoreUnavailableError
from coro_events.runtime.logs import get_logger
from services.api.edge import wide_of
from services.api.faults import faults_of
from services.api.problems import problem
from services.api.refusals import (
    BodyTooLarge,
    BodyTooSlow,
    EditConflict,
    Fault,
    ForeignForm,
    InvalidInput,
    KeyReused,
    NameTaken,
    NoSession,
    NoSuchCredential,
    NoSuchDelivery,
    NoSuchDraft,
    NoSuchEvent,
    NoSuchReplay,
    NoSuchVersion,
    NoSuchWorkspace,
    NotFound,
    NotJson,
    NotNdjson,
    NoToken,
    NotSignedIn,
    OutOfReach,
    ProviderFailed,
    Refusal,
    ReplayOver,
    ReplayRunning,
    RoleTooLow,
    SignInFailed,
    StillUnderWay,
    SyncRunning,
    TooManyAttempts,
    TooManyCredentials,
    TooManyRequests,
    TooManyWebhooks,
    UnknownClient,
    UnreadableBody,
    UnsupportedGrant,
    WrongDeliveryState,
    WrongState,
    WrongVersionState,
    WrongWorkspaceState,
)

_log = get_logger("api")


class Answer(NamedTuple):
    """The HTTP side of an error."""

    status: int
    slug: str
    headers: Mapping[str, str] = MappingProxyType({})
    # Further members of the problem; `error` is what OAuth clients look for (RFC 6749, section 5.2).
    members: Mapping[str, str] = MappingProxyType({})


_CHALLENGE = MappingProxyType({"WWW-Authenticate": "Bearer"})
_NEW_TOKEN = MappingProxyType({"WWW-Authenticate": 'Bearer error="invalid_token"'})

ANSWERS: Mapping[type[Refusal], Answer] = MappingProxyType(
    {
        InvalidInput: Answer(400, "invalid"),
        UnsupportedGrant: Answer(400, "unsupported-grant", members={"error": "unsupported_grant_type"}),
        UnreadableBody: Answer(400, "unreadable-body"),
        BodyTooSlow: Answer(408, "body-too-slow", headers={"Connection": "close"}),
        BodyTooLarge: Answer(413, "body-too-large", headers={"Connection": "close"}),
        NotJson: Answer(415, "not-json"),
        NotNdjson: Answer(415, "not-ndjson"),
        NotSignedIn: Answer(401, "not-signed-in", headers=_NEW_TOKEN),
        # RFC 6750, section 3.1: no error code where nothing was presented.
        NoToken: Answer(401, "not-signed-in", headers=_CHALLENGE),
        NoSession: Answer(401, "no-session"),
        SignInFailed: Answer(401, "sign-in-failed"),
        ForeignForm: Answer(403, "foreign-form"),
        ProviderFailed: Answer(503, "provider-failed"),
        UnknownClient: Answer(401, "unknown-client", headers=_CHALLENGE, members={"error": "invalid_client"}),
        OutOfReach: Answer(403, "out-of-reach"),
        RoleTooLow: Answer(403, "role-too-low"),
        NotFound: Answer(404, "not-found"),
        NoSuchWorkspace: Answer(404, "no-such-workspace"),
        NoSuchReplay: Answer(404, "no-such-replay"),
        NoSuchDelivery: Answer(404, "no-such-delivery"),
        NoSuchEvent: Answer(404, "no-such-event"),
        NoSuchDraft: Answer(404, "no-such-draft"),
        NoSuchVersion: Answer(404, "no-such-version"),
        NameTaken: Answer(409, "name-taken"),
        TooManyWebhooks: Answer(409, "too-many-webhooks"),
        WrongState: Answer(409, "wrong-state"),
        WrongDeliveryState: Answer(409, "wrong-delivery-state"),
        WrongWorkspaceState: Answer(409, "wrong-workspace-state"),
        WrongVersionState: Answer(409, "wrong-version-state"),
        SyncRunning: Answer(409, "sync-running"),
        ReplayRunning: Answer(409, "replay-running"),
        ReplayOver: Answer(409, "replay-over"),
        EditConflict: Answer(412, "edit-conflict"),
        NoSuchCredential: Answer(404, "no-such-credential"),
        TooManyCredentials: Answer(409, "too-many-credentials"),
        KeyReused: Answer(409, "idempotency-key-reused"),
        StillUnderWay: Answer(409, "still-under-way"),
        TooManyRequests: Answer(429, "too-many-requests"),
        TooManyAttempts: Answer(429, "too-many-attempts"),
    }
)

_NO_SUCH_METHOD = 405

# What the framework refuses before any room is asked.
_FRAMEWORK: Mapping[int, tuple[str, str, str]] = MappingProxyType(
    {
        400: ("unreadable", "The request cannot be read.", "It is not a valid request."),
        404: ("no-such-path", "There is nothing at this path.", "Look at /openapi.json for the paths there are."),
        405: ("no-such-method", "This path does not know that method.", "The header Allow names those it knows."),
    }
)


def install(app: FastAPI) -> None:
    """Let the application answer every error with a problem."""
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _parameters_refused)
    app.add_exception_handler(HTTPException, _framework_refused)
    app.add_exception_handler(StoreUnavailableError, _postponed)
    app.add_exception_handler(Exception, _failed)


def answer_of(kind: type[Refusal]) -> Answer:
    """Return the HTTP side of a refusal; the table names every class of them."""
    return ANSWERS[kind]


async def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, Refusal):
        raise TypeError("only refusals are answered here") from error
    answer = answer_of(type(error))
    if error.retry_after_s is not None:
        answer = answer._replace(headers={**answer.headers, "Retry-After": str(error.retry_after_s)})
    title = (type(error).__doc__ or "").strip()
    detail = error.detail or title
    return _problem(request, answer, title, detail, faults=error.faults)


async def _parameters_refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise TypeError("only faulty parameters are answered here") from error
    # The first step of a location says where the parameter stands: query, path or header.
    return await _refused(request, InvalidInput(*faults_of(error.errors(), skipped=1)))


async def _framework_refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise TypeError("only the framework's errors are answered here") from error
    fallback = (f"http-{error.status_code}", "The request is refused.", "The request is refused.")
    slug, title, detail = _FRAMEWORK.get(error.status_code, fallback)
    headers = {"Allow": _allowed(request)} if error.status_code == _NO_SUCH_METHOD else error.headers or {}
    return _problem(request, Answer(error.status_code, slug, headers=headers), title, detail)


def _allowed(request: Request) -> str:
    """Return the methods of all routes of a path; the framework names those of the first one alone."""
    path = request.scope["path"]
    routes = iter_route_contexts(request.app.routes)
    matching = [route for route in routes if compile_path(route.path or "")[0].fullmatch(path)]
    # A path that has a route of its own is not meant as an id.
    own = [route for route in matching if route.path == path]
    return ", ".join(sorted({method for route in own or matching for method in route.methods or ()}))


async def _postponed(request: Request, error: Exception) -> Response:
    """Answer while the database is away."""
    _log.warning("request.postponed", trace_id=wide_of(request.scope).trace_id, error=str(error))
    away = Answer(503, "away", headers={"Retry-After": "1"})
    return _problem(request, away, "The service cannot do this for a moment.", "Try again in a second.")


async def _failed(request: Request, error: Exception) -> Response:
    """Answer what nobody foresaw without telling what it was; the log line of the trace id does."""
    del error
    detail = "The trace id leads us to what happened."
    return _problem(request, Answer(500, "internal"), "Something went wrong on our side.", detail)


def _problem(request: Request, answer: Answer, title: str, detail: str, *, faults: Sequence[Fault] = ()) -> Response:
    return problem(
        status=answer.status,
        slug=answer.slug,
        title=title,
        detail=detail,
        trace_id=wide_of(request.scope).trace_id,
        faults=faults,
        headers=answer.headers,
        members=answer.members,
    )
