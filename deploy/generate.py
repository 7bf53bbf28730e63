"""Write the files that are made from code, or check that they are current: `python -m deploy.generate [--check]`.

A generator is a function that returns texts by path, relative to the root of the repository. To add one, write the
function beside what it describes and name it in GENERATORS.
"""

import argparse
import json
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from coro_events.contract.bodies import VERSIONS
from coro_events.contract.schemas import asyncapi, body_schema, data_schema
from coro_events.contract.triggers import TEST_TYPE, Trigger

ROOT = Path(__file__).resolve().parent.parent

Generator = Callable[[], Mapping[str, str]]


def as_json(document: Mapping[str, Any]) -> str:
    """Return a document as the repository keeps it: indented, UTF-8, one line feed at the end."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def in_section(path: str, name: str, text: str, root: Path = ROOT) -> str:
    """Return a hand-written file with the part between its two marks replaced.

    The marks are the lines `<!-- generated: NAME -->` and `<!-- end: NAME -->`.

    Raises:
        ValueError: The file lacks the marks.
    """
    start, end = f"<!-- generated: {name} -->\n", f"<!-- end: {name} -->"
    before, opening, rest = (root / path).read_text(encoding="utf-8").partition(start)
    _, closing, after = rest.partition(end)
    if not opening or not closing:
        raise ValueError(f"{path} lacks the marks of the section {name}")
    return f"{before}{start}{text.strip()}\n{end}{after}"


def schemas() -> dict[str, str]:
    """Return the schema of every event's data and of every version's bodies."""
    texts = {f"docs/schemas/events/{one}.json": as_json(data_schema(one)) for one in Trigger}
    for number in VERSIONS:
        for event_type in (*Trigger, TEST_TYPE):
            path = f"docs/schemas/v{number}/{event_type}.json"
            texts[path] = as_json(body_schema(number, str(event_type)))
    return texts


def topics() -> dict[str, str]:
    """Return the AsyncAPI document of the three topics."""
    # Not from the installed package, which tells the version of its installation.
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {"docs/asyncapi.json": as_json(asyncapi(project["version"]))}


GENERATORS: tuple[Generator, ...] = (
    schemas,
    topics,
)

# Folders that hold generated files alone: whatever else lies there is left from a thing that is gone.
OWNED_FOLDERS = ("docs/schemas",)


def generated(generators: Sequence[Generator] = GENERATORS) -> dict[str, str]:
    """Return every generated text by its path."""
    texts: dict[str, str] = {}
    for generator in generators:
        texts.update(generator())
    return texts


def stale(texts: Mapping[str, str], root: Path) -> list[str]:
    """Return the paths whose file is missing, differs, or should not be there."""
    differing = [path for path, text in texts.items() if _read(root / path) != text]
    return sorted([*differing, *left_over(texts, root)])


def left_over(texts: Mapping[str, str], root: Path) -> list[str]:
    """Return files in the owned folders that nothing generates any more."""
    found = (file for folder in OWNED_FOLDERS for file in (root / folder).rglob("*") if file.is_file())
    return sorted(path for path in (file.relative_to(root).as_posix() for file in found) if path not in texts)


def write(texts: Mapping[str, str], root: Path) -> list[str]:
    """Write what is stale, remove what is left over, and return the paths that changed."""
    changed = stale(texts, root)
    for path in changed:
        file = root / path
        if path in texts:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(texts[path], encoding="utf-8", newline="\n")
        else:
            file.unlink()
    return changed


def _read(file: Path) -> str | None:
    return file.read_bytes().decode() if file.is_file() else None


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Write or check; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m deploy.generate", description="Generated files.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is stale")
    checking: bool = parser.parse_args(arguments).check
    texts = generated()
    if not checking:
        for path in write(texts, root):
            sys.stdout.write(f"wrote {path}\n")
        return 0
    behind = stale(texts, root)
    for path in behind:
        sys.stderr.write(f"{path} is stale; run python -m deploy.generate\n")
    return 1 if behind else 0


if __name__ == "__main__":
    sys.exit(main())
