"""What pydantic found, in the words of the API; values of the input are never repeated."""

from collections.abc import Iterable, Mapping
from typing import Any

from services.api.refusals import Fault

# A caller may send a body full of mistakes; nobody reads more of them than this.
MAX_FAULTS = 50
MAX_FIELD_CHARACTERS = 100

_MESSAGES: Mapping[str, str] = {
    "missing": "is required",
    "extra_forbidden": "is not a known field",
    "string_type": "must be a string",
    "bool_type": "must be true or false",
    "list_type": "must be an array",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "int_type": "must be an integer",
    "int_parsing": "must be an integer",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} entries",
    "too_long": "must have at most {max_length} entries",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
}


def faults_of(errors: Iterable[Mapping[str, Any]], *, skipped: int = 0) -> list[Fault]:
    """Return pydantic's errors as faults, each once, in order.

    Args:
        errors: As `ValidationError.errors()` gives them.
        skipped: How many steps at the start of each location say nothing to the caller.
    """
    faults = dict.fromkeys(Fault(_field(error["loc"][skipped:]), _message(error)) for error in errors)
    return list(faults)[:MAX_FAULTS]


def _field(location: tuple[int | str, ...]) -> str:
    # pydantic marks the key of a mapping, where the key itself is wrong.
    steps = [str(step) for step in location if step != "[key]"]
    path = ".".join(steps) or "body"
    # A caller chooses the names of unknown fields, and their length.
    return path if len(path) <= MAX_FIELD_CHARACTERS else f"{path[:MAX_FIELD_CHARACTERS]}…"


def _message(error: Mapping[str, Any]) -> str:
    if error["type"] in {"string_too_short", "too_short"} and error["ctx"]["min_length"] == 1:
        return "must not be empty"
    known = _MESSAGES.get(error["type"])
    if known is not None:
        return known.format_map(error.get("ctx", {}))
    return str(error["msg"]).removeprefix("Value error, ")
