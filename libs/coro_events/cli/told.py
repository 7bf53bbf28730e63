"""How a command speaks: answers on stdout, one sentence on stderr when it cannot, never a traceback."""

import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text
from typer.core import TyperGroup

from coro_events.errors import CoroError

USAGE = 2
# Columns of a table that goes into a file or a pipe.
UNLIMITED = 400

Value = TypeVar("Value")


class Refused(Exception):  # noqa: N818 - the word of the flow
    """A command cannot do what was asked; the sentence says why.

    Attributes:
        code: The exit code: 1 for a failure, 2 for a wrong use.
    """

    def __init__(self, sentence: str, *, code: int = 1) -> None:
        super().__init__(sentence)
        self.code = code


class TellingGroup(TyperGroup):
    """A group of commands whose expected failures end in one sentence."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; tell an expected failure and exit."""
        try:
            return super().invoke(ctx)
        except Refused as error:
            raise _told(str(error), error.code) from None
        except CoroError as error:
            raise _told(str(error), 1) from None
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            place = f": {error.filename}" if error.filename else ""
            raise _told(f"{error.strerror or type(error).__name__}{place}", 1) from None


def _told(sentence: str, code: int) -> typer.Exit:
    typer.echo(f"{plain(sentence).rstrip('.')}.", err=True)
    return typer.Exit(code)


def new_group(about: str) -> typer.Typer:
    """Return a group of commands."""
    return typer.Typer(cls=TellingGroup, help=about, no_args_is_help=True, pretty_exceptions_enable=False)


def answer(document: Any) -> None:
    """Write one line of JSON, at once: a program may be reading along."""
    typer.echo(json.dumps(document, ensure_ascii=False, separators=(",", ":")))


def say(text: str) -> None:
    """Write one line for people."""
    typer.echo(plain(text))


def table(columns: list[str], rows: list[list[str]]) -> None:
    """Write a table for people; as wide as it needs to be where nobody looks at a screen."""
    whole = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        whole.add_row(*(Text(plain(cell)) for cell in row))
    screen = Console()
    (screen if screen.is_terminal else Console(width=UNLIMITED)).print(whole)


def plain(text: str) -> str:
    """Return a text that moves no cursor and changes no colour, whoever wrote it."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def checked(read: Callable[[str, object], Value], name: str, value: str) -> Value:
    """Return an argument as a rule of the contract reads it.

    Raises:
        Refused: The argument breaks the rule.
    """
    try:
        return read(name, value)
    except ValueError as error:
        raise Refused(str(error), code=USAGE) from None


def text_of(file: Path) -> str:
    """Return the text of a file, without one final line feed.

    Raises:
        Refused: It is not UTF-8.
        OSError: It cannot be read.
    """
    try:
        return file.read_bytes().decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise Refused(f"{file} is not UTF-8") from None
