"""The operations of the REST API in Markdown, each with a call by curl, made from the OpenAPI document."""

import json
import re
from collections.abc import Iterator
from typing import Any

from services.api.docs.document import operations

Node = dict[str, Any]

_CAPITAL = re.compile(r"(?=[A-Z])")
_ROLES = {"viewer": "a viewer", "administrator": "an administrator", "super_admin": "a super admin"}


def reference(document: Node) -> str:
    """Return a heading for each operation, by tag, with what it does, takes and answers."""
    by_tag: dict[str, list[str]] = {tag["name"]: [] for tag in document["tags"]}
    for path, operation in operations(document):
        method = next(method for method, one in document["paths"][path].items() if one is operation)
        by_tag[operation["tags"][0]].extend(_operation(method, path, operation))
    parts = []
    for tag in document["tags"]:
        if lines := by_tag[tag["name"]]:
            parts += [f"### {tag['name'].capitalize()}", "", tag.get("description", ""), "", *lines]
    return "\n".join(parts)


def _operation(method: str, path: str, operation: Node) -> Iterator[str]:
    yield f"#### {operation['summary']}"
    yield ""
    yield f"`{method.upper()} {path}`. {' '.join(operation['description'].split())} {_who(method, operation)}"
    yield ""
    others = [parameter for parameter in operation.get("parameters", ()) if parameter["in"] != "path"]
    for parameter in others:
        yield f"- `{parameter['name']}` ({parameter['in']}): {parameter.get('description', '')}"
    if others:
        yield ""
    yield "```sh"
    yield from _curl(method, path, operation)
    yield "```"
    yield ""
    answers = [f"`{status}`" for status in sorted(operation["responses"])]
    yield f"Answers: {', '.join(answers)}."
    yield ""


def _who(method: str, operation: Node) -> str:
    if "security" not in operation:
        return "Anybody may call it."
    role = operation.get("x-coro-role") or ("viewer" if method == "get" else "administrator")
    if role == "service":
        return "Takes an internal service."
    also = ", or an internal service" if operation.get("x-coro-services-too") else ""
    return f"Takes {_ROLES[role]}{also}."


def _curl(method: str, path: str, operation: Node) -> Iterator[str]:
    for name in ("webhook_id", "hook_id", "replay_id", "credential_id"):
        path = path.replace(f"{{{name}}}", f"${name.upper()}")
    path = path.replace("{workspace_id}", "exampletradecom_7K2P_b").replace("{version}", "2")
    flag = "" if method == "get" else f" -X {method.upper()}"
    lines = [f'curl{flag} "$API{path}{_query(operation)}"']
    if "security" in operation:
        lines.append('-H "Authorization: Bearer $TOKEN" -H "Workspace: $WORKSPACE"')
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        lines.append(f"-H 'Content-Type: {media_type}'")
        lines.append(f"-d '{json.dumps(content['example'], ensure_ascii=False)}'")
    yield " \\\n  ".join(lines)


def _query(operation: Node) -> str:
    """Return the query of a call that says nothing without one: the parameters that have an example."""
    named = (one["name"] for one in operation.get("parameters", ()) if one["in"] == "query" and "examples" in one)
    query = "&".join(f"{name}=${_CAPITAL.sub('_', name).upper()}" for name in named)
    return f"?{query}" if query else ""
