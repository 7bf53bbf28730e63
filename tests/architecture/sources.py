"""The files that the rules look at, and what a rule says about them."""

import ast
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Source:
    """One file: its path from the root of the repository, with slashes, and its text."""

    path: str
    text: str

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Every node of the syntax tree; the first is the module."""
        return list(ast.walk(ast.parse(self.text, self.path)))

    def is_under(self, *folders: str) -> bool:
        """Tell whether the file is in one of these folders, at any depth."""
        return self.path.startswith(tuple(f"{folder}/" for folder in folders))


@dataclass(frozen=True)
class Finding:
    """One breach of a rule."""

    path: str
    line: int
    rule: str

    def __str__(self) -> str:
        """Return what an editor can jump to, and the rule."""
        return f"{self.path}:{self.line}: {self.rule}"


Rule = Callable[[Source], Iterable[Finding]]


def report(findings: Iterable[Finding]) -> str:
    """Return one line a finding; empty where there are none."""
    return "\n".join(str(finding) for finding in findings)


def repository_files() -> list[str]:
    """Return the path of every file that is in the repository or about to be, without generated and ignored ones."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],  # noqa: S607 - whichever git there is
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
    )
    if listing.returncode != 0:
        return sorted(_walked(ROOT))
    return sorted(path for path in listing.stdout.split("\0") if path and (ROOT / path).is_file())


def _walked(folder: Path) -> Iterator[str]:
    """Return what a copy without git has: everything but hidden and cached files."""
    for path in folder.iterdir():
        if path.name.startswith(".") or path.name == "__pycache__":
            continue
        if path.is_dir():
            yield from _walked(path)
        else:
            yield path.relative_to(ROOT).as_posix()


def texts() -> Iterator[Source]:
    """Return every file that is text."""
    for path in repository_files():
        try:
            yield Source(path, (ROOT / path).read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            continue


def python_sources() -> Iterator[Source]:
    """Return every Python file."""
    return (source for source in texts() if source.path.endswith(".py"))
