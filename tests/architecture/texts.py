"""What no file may say, and what a package's own file may hold."""

import ast
import re
from collections.abc import Iterator

from tests.architecture.sources import Finding, Source

# The public face has names in its file; no other package re-exports.
FACES = {"libs/coro_events/__init__.py"}

# The dot stands apart, so that this file does not say what it forbids.
_REGISTRIES = re.compile(
    r"\b(?:pypi|pythonhosted|npmjs|crates|rubygems)[.](?:org|com|io)\b"
    r"|\brepo1?[.]maven[.]|\bmaven[.]google[.]com|\b(?:ghcr|quay|docker|gcr)[.]io\b"
    r"|\bindex-url\s*[=:]|\bfind-links\s*[=:]"
)
_MACHINE = re.compile(r"(?<![\w.:*$}~-])/(?:work|root|home|Users)/")


def registry_hosts(source: Source) -> Iterator[Finding]:
    """Where packages come from is the setting of whoever installs them, not ours."""
    yield from _lines(source, _REGISTRIES, "no host of a package registry, and no index address")


def machine_paths(source: Source) -> Iterator[Finding]:
    """A path of somebody's machine is wrong on every other one."""
    yield from _lines(source, _MACHINE, "no absolute path of a machine")


def _lines(source: Source, words: re.Pattern[str], rule: str) -> Iterator[Finding]:
    for number, line in enumerate(source.text.splitlines(), start=1):
        if words.search(line):
            yield Finding(source.path, number, rule)


def package_files(source: Source) -> Iterator[Finding]:
    """A package's own file holds the one sentence of its job; names are imported from where they are."""
    if source.name != "__init__.py" or source.path in FACES:
        return
    module = source.nodes[0]
    assert isinstance(module, ast.Module)
    rule = "__init__.py holds one docstring and nothing else"
    if ast.get_docstring(module) is None:
        yield Finding(source.path, 1, rule)
    for extra in module.body[1:]:
        yield Finding(source.path, extra.lineno, rule)


def packages(paths: list[str]) -> Iterator[Finding]:
    """Return every folder of Python files that does not tell its job."""
    present = set(paths)
    folders = {path.rpartition("/")[0] for path in paths if path.endswith(".py")}
    ours = {folder for folder in folders if folder.startswith(("libs/coro_events", "services", "deploy", "tests"))}
    for file in sorted({f"{folder}/__init__.py" for folder in ours} - present):
        yield Finding(file, 1, "each folder has an __init__.py that tells its job")
