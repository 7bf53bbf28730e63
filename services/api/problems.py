"""The body of every error: RFC 9457 problem details with the faulty fields and the trace id."""

from collections.abc import Mapping, Sequence

from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from services.api.refusals import Fault

MEDIA_TYPE = "application/problem+json"


class FieldFault(BaseModel):
    """One faulty field."""

    field: str = Field(description="Where, such as `headers.X-Key` or `triggers.0`.")
    message: str = Field(description="What is wrong with it.")


class Problem(BaseModel):
    """Why a request was not done."""

    type: str = Field(description="Names the kind of problem; stable.", examples=["urn:coro:problem:invalid"])
    title: str = Field(description="The kind of problem in words.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="This case in words.")
    errors: list[FieldFault] = Field(description="The faulty fields; empty where it is not about fields.")
    traceId: str = Field(description="Names this request in our logs; also in X-Coro-Trace-Id.")  # noqa: N815 - published name


class ProblemResponse(JSONResponse):
    """A problem on the wire."""

    media_type = MEDIA_TYPE


def problem(
    *,
    status: int,
    slug: str,
    title: str,
    detail: str,
    trace_id: str,
    faults: Sequence[Fault] = (),
    headers: Mapping[str, str] | None = None,
    members: Mapping[str, str] | None = None,
) -> ProblemResponse:
    """Return the response of a problem; `members` extend it, as RFC 9457 allows."""
    body = {
        "type": f"urn:coro:problem:{slug}",
        "title": title,
        "status": status,
        "detail": detail,
        "errors": [fault._asdict() for fault in faults],
        "traceId": trace_id,
        **(members or {}),
    }
    return ProblemResponse(body, status_code=status, headers=headers)


def documented(*statuses: int) -> dict[int | str, dict[str, object]]:
    """Return the error answers of an operation for OpenAPI."""
    schema = {"$ref": "#/components/schemas/Problem"}
    # Whoever may ask may ask too often, and whoever may send a body may do so too slowly.
    everywhere = {429, 408} if 413 in statuses else {429}  # noqa: PLR2004 - statuses are known by their numbers
    answers: dict[int | str, dict[str, object]] = {
        status: {"description": _MEANINGS[status], "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in sorted({*statuses, *everywhere})
    }
    for status in answers.keys() & {429, 503}:
        answers[status]["headers"] = _RETRY_AFTER
    return answers


_RETRY_AFTER = {
    "Retry-After": {"description": "In how many seconds to try again.", "schema": {"type": "integer", "minimum": 1}}
}

_MEANINGS = {
    400: "The request breaks a rule; every faulty field is named.",
    401: "No valid access token or client.",
    403: "The workspace is out of reach, or the role is too low.",
    404: "There is no such webhook or version here, or the webhook has no such replay, delivery, event or draft.",
    409: "It conflicts with what is there: a name, a limit or a state.",
    408: "The body did not arrive in time.",
    412: "The webhook was changed since it was read.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    429: "Too many requests, or too many failed sign-ins; Retry-After says when to come back.",
    500: "Something went wrong on our side.",
    503: "For a moment, we cannot do it.",
}
