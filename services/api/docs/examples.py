"""An example of any schema of the OpenAPI document: its own where it names one, else made from its type: pure."""

from collections.abc import Mapping
from typing import Any

from services.api.webhooks.rules import MASK

Schema = Mapping[str, Any]

_ID = "9d3c1f52-7a55-4bb0-8a7e-0a7c5a4f2e90"
_AT_MS = 1_772_355_600_000

# What a property of that name holds, where its schema gives no example; the value must suit the type.
_BY_NAME: Mapping[str, tuple[Any, ...]] = {
    "id": (_ID,),
    "name": ("Billing",),
    "description": ("Tells billing what changed.",),
    "url": ("https://billing.example.com/coro",),
    "secret": ("use-a-long-random-secret",),
    "workspaceId": ("examplemsp_4F8D_b",),
    "parentId": ("examplemsp_4F8D_b",),
    "displayName": ("Example Trade",),
    "status": ("enabled",),
    "version": (1,),
    "triggers": (["workspaceCreated.v1"],),
    "headers": ({"Authorization": MASK},),
    "client_id": ("billing",),
    "client_secret": ("the-secret-of-the-credential",),
    "access_token": ("eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl",),
    "audience": ("https://api.secure.coro.net",),
    "statusCode": (200,),
    "traceId": ("0af7651916cd43dd8448eb211c80319c",),
    "totalElements": (1,),
    "disabledReason": (None,),
    "draftOf": (None,),
    "nextCursor": (None,),
    "outcome": ("success",),
    "error": (None,),
    "reason": (None,),
    "head": ("200 OK\r\nContent-Type: text/plain",),
    "body": ("ok",),
    "attempts": (1,),
    "durationMs": (42,),
}
_MAX_DEPTH = 12


def example_of(schema: Schema, components: Mapping[str, Schema], *, name: str = "", depth: int = 0) -> Any:
    """Return a value that the schema allows.

    Args:
        schema: Of the document; references lead to its components.
        components: The schemas that references name.
        name: Of the property that it describes.
        depth: How many levels it lies below the whole.
    """
    if "$ref" in schema:
        target = components[schema["$ref"].rpartition("/")[2]]
        return example_of(target, components, name=name, depth=depth + 1)
    for value in (*_stated(schema), *_BY_NAME.get(name, ())):
        if _allows(schema, value):
            return value
    choices = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if choices:
        # What is told of the whole is true of the choice.
        choice = {"description": schema.get("description", ""), **choices[0]}
        return example_of(choice, components, name=name, depth=depth + 1)
    # A schema that holds itself ends somewhere.
    return _by_type(schema, components, depth=depth) if depth <= _MAX_DEPTH else None


def _stated(schema: Schema) -> list[Any]:
    """Return the values that the schema itself names."""
    single = [schema[key] for key in ("example", "const") if key in schema]
    return [*schema.get("examples", ()), *single, *schema.get("enum", ())]


def _by_type(schema: Schema, components: Mapping[str, Schema], *, depth: int) -> Any:
    match schema.get("type"):
        case "object":
            required = schema.get("required", ())
            # What clients write need not hold what may be left out; what they read says all that has a type.
            telling = {"type", "$ref"} if schema.get("additionalProperties") is False else {"type", "$ref", "anyOf"}
            shown = {
                key: value
                for key, value in schema.get("properties", {}).items()
                if key in required or telling & value.keys()
            }
            return {key: example_of(value, components, name=key, depth=depth + 1) for key, value in shown.items()}
        case "array":
            # The items of a list are what the list is of, so they go by no name.
            return [example_of(schema.get("items", {}), components, depth=depth + 1)]
        case simple:
            return _simple(str(simple), schema)


def _simple(kind: str, schema: Schema) -> Any:
    if "default" in schema:
        return schema["default"]
    if kind in {"integer", "number"}:
        return _AT_MS if "milliseconds" in schema.get("description", "") else max(1, schema.get("minimum", 1))
    values = {"boolean": False, "string": _ID if schema.get("format") == "uuid" else "text"}
    return values.get(kind)


_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "object": dict,
    "array": list,
    "boolean": bool,
    "null": type(None),
}


def _allows(schema: Schema, value: Any) -> bool:
    """Return whether a value suits the type, or one of the choices; references are not followed."""
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        return any(_allows(choice, value) for choice in choices if "$ref" not in choice)
    if "enum" in schema or "const" in schema:
        return value in _stated(schema)
    kind = _TYPES.get(schema.get("type", ""))
    return kind is None or (isinstance(value, kind) and not (kind is not bool and isinstance(value, bool)))
