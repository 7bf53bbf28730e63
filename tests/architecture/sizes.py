"""How long a file and a function may be."""

import ast
from collections.abc import Iterator

from tests.architecture.sources import Finding, Source

FILE_LINES = 400
FUNCTION_LINES = 60


def file_size(source: Source) -> Iterator[Finding]:
    """A file is read whole, or not understood: up to 400 lines."""
    lines = source.text.count("\n") + (not source.text.endswith("\n"))
    if lines > FILE_LINES:
        yield Finding(source.path, lines, f"a file has at most {FILE_LINES} lines, this one {lines}; split it by job")


def function_size(source: Source) -> Iterator[Finding]:
    """A function fits on a screen: up to 60 lines. A migration is a list and may be longer."""
    if source.is_under("migrations/versions"):
        return
    for node in source.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                rule = f"a function has at most {FUNCTION_LINES} lines, {node.name} has {lines}"
                yield Finding(source.path, node.lineno, rule)
