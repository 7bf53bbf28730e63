"""Runs the coro command in this process."""

from typer.testing import CliRunner, Result

from coro_events.cli.main import app


def run(*arguments: str, stdin: str | bytes | None = None) -> Result:
    """Run `coro …`; an unexpected error fails the test."""
    result = CliRunner().invoke(app, list(arguments), input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def refused(*arguments: str, code: int = 1, stdin: str | bytes | None = None) -> str:
    """Run `coro …`, expect a refusal and return its one sentence."""
    result = run(*arguments, stdin=stdin)
    assert result.exit_code == code, result.output
    sentence = result.stderr.rstrip("\n")
    assert sentence
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return sentence
