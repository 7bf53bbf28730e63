"""Programs that verify a signature, filled in with the values of one delivery."""

import json
import re
from collections.abc import Callable, Mapping
from importlib import resources
from types import MappingProxyType
from typing import NamedTuple

_HOLE = re.compile(r"__(ID|TIMESTAMP|SIGNATURE|CORO|BODY)__")


class Example(NamedTuple):
    """What a delivery was sent with.

    Attributes:
        signature: The header `webhook-signature`.
        coro: The header `X-Coro-Signature`.
    """

    hook_id: str
    timestamp_s: int
    signature: str
    coro: str
    body: str


class Language(NamedTuple):
    """How a sample is written down and run."""

    label: str
    file: str
    run: str
    quoted: Callable[[str], str]


class Sample(NamedTuple):
    """A program."""

    name: str
    label: str
    file: str
    run: str
    code: str


def _double_quoted(text: str) -> str:
    """Return a literal of Python, JavaScript, Go and Java, which share the escapes that JSON needs."""
    return json.dumps(text, ensure_ascii=False)


def _php_quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _shell_quoted(text: str) -> str:
    escaped = text.replace("'", "'\\''")
    return f"'{escaped}'"


LANGUAGES: Mapping[str, Language] = MappingProxyType(
    {
        "python": Language("Python", "verify.py", "SECRET=… python3 verify.py", _double_quoted),
        "node": Language("Node", "verify.js", "SECRET=… node verify.js", _double_quoted),
        "go": Language("Go", "verify.go", "SECRET=… go run verify.go", _double_quoted),
        "java": Language("Java", "Verify.java", "SECRET=… java Verify.java", _double_quoted),
        "php": Language("PHP", "verify.php", "SECRET=… php verify.php", _php_quoted),
        "shell": Language("Shell", "verify.sh", "SECRET=… sh verify.sh", _shell_quoted),
    }
)


def samples(example: Example) -> tuple[Sample, ...]:
    """Return the program of each language."""
    return tuple(sample(name, example) for name in LANGUAGES)


def sample(name: str, example: Example) -> Sample:
    """Return the program of one language."""
    language = LANGUAGES[name]
    values = {
        "ID": example.hook_id,
        "TIMESTAMP": str(example.timestamp_s),
        "SIGNATURE": example.signature,
        "CORO": example.coro,
        "BODY": example.body,
    }
    text = (resources.files("services.api.console") / "samples" / f"{name}.txt").read_text(encoding="utf-8")
    # In one pass: what a body holds is never taken for a hole.
    code = _HOLE.sub(lambda hole: language.quoted(values[hole[1]]), text)
    return Sample(name, language.label, language.file, language.run, code.rstrip("\n"))
