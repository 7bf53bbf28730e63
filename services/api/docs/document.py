"""Completes the OpenAPI document that the framework makes: errors, examples, headers, security, what receivers get."""

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI

from coro_events.contract.schemas import rebased
from services.api.docs.examples import example_of
from services.api.docs.webhooks import webhooks
from services.api.edge import TRACE_HEADER
from services.api.errors import ANSWERS
from services.api.problems import MEDIA_TYPE, Problem

Node = dict[str, Any]

DESCRIPTION = """\
Sign in with `POST /oauth/token`, then send `Authorization: Bearer …` and `Workspace: <id>` along with every call.

Errors are RFC 9457 problems: `type` names the kind and is stable, `errors` names every faulty field at once, and
`traceId` leads us to the request. Times are milliseconds of UTC. Fields that are not known are refused.
"""

TAGS = (
    ("access", "Who may call: tokens and credentials."),
    ("webhooks", "What is told to whom."),
    ("versions", "From one webhook version to the next: releases, drafts, previews."),
    ("deliveries", "What was sent, and sending it again."),
    ("activity", "Who did what, and when."),
    ("workspaces", "The tree: read by those in it, written by internal services."),
    ("receivers", "What your server gets."),
)

SECURITY: Mapping[str, Node] = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "From `POST /oauth/token`; good for a day.",
    },
    "workspace": {
        "type": "apiKey",
        "in": "header",
        "name": "Workspace",
        "description": "The id of the workspace that the request is about: the credential's or one below it.",
    },
}

# The answers that hold something new.
_MADE = frozenset({"201", "202"})
# What these read is there only after another call; it does not follow from making the thing that they belong to.
_LATER = frozenset({"getDraft"})
_PARAMETER = re.compile(r"\{(\w+)\}")
_COMPONENTS = "#/components/schemas/"
_TRACE: Node = {"description": "Names this request in our logs.", "schema": {"type": "string"}}
_RETRY: Node = {"description": "When to try again; in seconds.", "schema": {"type": "string", "pattern": "^[0-9]+$"}}
_LOCATION: Node = {"description": "The path of what was made.", "schema": {"type": "string"}}
# Kinds that the table of refusals does not hold, as nobody refuses there, or that are rarer there than this one.
_NOT_REFUSED: Mapping[int, tuple[str, str]] = {
    500: ("internal", "Something went wrong on our side."),
    503: ("away", "The service cannot do this for a moment."),
}


def complete(app: FastAPI) -> None:
    """Let the application give the complete document, made once."""
    generate = app.openapi
    made: list[Node] = []

    def openapi() -> Node:
        if not made:
            made.append(_completed(copy.deepcopy(generate())))
        return made[0]

    app.openapi = openapi  # type: ignore[method-assign] # the way the framework names for extending it


def _completed(document: Node) -> Node:
    document["info"]["description"] = DESCRIPTION
    components = document.setdefault("components", {})
    schemas: Node = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    _hoist(Problem.model_json_schema(), schemas)
    components["securitySchemes"] = dict(SECURITY)
    tags = dict(TAGS)
    for _, operation in operations(document):
        _complete_operation(operation, schemas)
        for tag in operation.get("tags", ()):
            tags.setdefault(tag, "")
    document["tags"] = [{"name": name, **({"description": text} if text else {})} for name, text in tags.items()]
    _add_links(document)
    document["webhooks"] = webhooks()
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    return document


def operations(document: Node) -> Iterator[tuple[str, Node]]:
    """Yield path and description of each operation."""
    for path, item in document["paths"].items():
        for operation in item.values():
            yield path, operation


def _complete_operation(operation: Node, schemas: Node) -> None:
    operation["responses"].pop("422", None)
    if "security" in operation:
        operation["security"] = [{name: [] for name in SECURITY}]
        others = [one for one in operation["parameters"] if one["name"] != "Workspace"]
        operation["parameters"] = others
    for content in operation.get("requestBody", {}).get("content", {}).values():
        content["schema"] = _hoist(content["schema"], schemas)
        _add_example(content, schemas)
    for status, response in operation["responses"].items():
        _complete_response(int(status), response, schemas)


def _complete_response(status: int, response: Node, schemas: Node) -> None:
    headers = response.setdefault("headers", {})
    headers.setdefault(TRACE_HEADER, _TRACE)
    if status in {429, 503}:
        headers.setdefault("Retry-After", _RETRY)
    if status == 201:  # noqa: PLR2004 - the number is the status
        headers.setdefault("Location", _LOCATION)
    for media_type, content in response.get("content", {}).items():
        content["schema"] = _hoist(content["schema"], schemas)
        if media_type == MEDIA_TYPE:
            content["example"] = _problem(status)
        elif media_type.endswith("json"):
            _add_example(content, schemas)


def _add_example(content: Node, schemas: Node) -> None:
    if not {"example", "examples"} & content.keys():
        content["example"] = example_of(content["schema"], schemas)


def _problem(status: int) -> Node:
    """Return an example of the first kind of problem that has the status."""
    slug, title = _NOT_REFUSED.get(status, ("refused", "The request is refused."))
    for kind, answer in ANSWERS.items() if status not in _NOT_REFUSED else ():
        if answer.status == status:
            slug, title = answer.slug, (kind.__doc__ or "").strip()
            break
    faulty = slug == "invalid"
    return {
        "type": f"urn:coro:problem:{slug}",
        "title": title,
        "status": status,
        "detail": "name must not be empty" if faulty else title,
        "errors": [{"field": "name", "message": "must not be empty"}] if faulty else [],
        "traceId": "0af7651916cd43dd8448eb211c80319c",
    }


def _add_links(document: Node) -> None:
    """Tell of each answer that holds the id of something new which operations take that id."""
    for path, item in document["paths"].items():
        made = {status: one for status, one in item.get("post", {}).get("responses", {}).items() if status in _MADE}
        for response in made.values():
            response["links"] = {
                operation["operationId"]: {"operationId": operation["operationId"], "parameters": parameters}
                for below, parameters in _takers(path, document["paths"])
                for operation in document["paths"][below].values()
                if operation["operationId"] not in _LATER
            }


def _takers(path: str, paths: Node) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the paths that name one thing of a list, or something of it, and where their parameters come from."""
    known = {name: f"$request.path.{name}" for name in _PARAMETER.findall(path)}
    for below in paths:
        rest = below.removeprefix(path)
        names = _PARAMETER.findall(rest)
        if rest != below and rest.startswith("/{") and len(names) == 1:
            yield below, {**known, names[0]: "$response.body#/id"}


def _hoist(schema: Node, schemas: Node) -> Node:
    """Move a schema and what it defines among the components; return the reference to it."""
    if "$ref" in schema or "title" not in schema:
        return schema
    schema = dict(schema)
    definitions = schema.pop("$defs", {})
    name = schema["title"]
    for key, value in {**definitions, name: schema}.items():
        schemas[key] = rebased(value, _COMPONENTS)
    return {"$ref": f"{_COMPONENTS}{name}"}
