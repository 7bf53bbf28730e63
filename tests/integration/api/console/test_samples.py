"""The programs that verify a signature, run with real interpreters on a request that the dispatcher signed."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.api.console.views.samples import LANGUAGES, Example, sample
from services.dispatcher.deliver.sign import coro_signature, standard_signature

SECRET = "a sécret with 'quotes', \"more\", $HOME and \\n"
HOOK_ID = "9d3c1f52-7a55-4bb0-8a7e-0a7c5a4f2e90"
TIMESTAMP_S = 1_772_355_600
# What breaks out of literals: quotes of all kinds, escapes, holes, what shells and PHP expand, and what is not ASCII.
BODY = (
    '{"name":"O\'Brien \\"quoted\\" \\u00e9 é 日本 😀 \\\\ \\n","shell":"$(id) `id` ${HOME} %s %n",'
    '"php":"<?php ?> {$x}",'
    '"hole":"__ID__ __BODY__","html":"</pre><script>","go":"`raw`","line":"a\\tb"}'
)
# What the last part of a program calls; put in its place, the other check is tried.
OTHER_CHECK = {
    "python": ("is_authentic(headers, body, secret, now_s) else", "is_from_coro(headers, secret) else"),
    "node": ("isAuthentic(headers, body, secret, nowS) ?", "isFromCoro(headers, secret) ?"),
    "go": ("if isAuthentic(headers, body, secret, nowS) {", "_, _ = body, nowS\n\tif isFromCoro(headers, secret) {"),
    "java": ("isAuthentic(headers, body, secret, nowS) ?", "isFromCoro(headers, secret) ?"),
    "php": ("echo is_authentic($headers, $body, $secret, $now_s)", "echo is_from_coro($headers, $secret)"),
    "shell": ("if is_authentic; then", "if is_from_coro; then"),
}
LIMIT_S = 100
# Go compiles its library first.
RUN = [pytest.param(name, marks=pytest.mark.slow) if name == "go" else name for name in LANGUAGES]


@dataclass(frozen=True)
class Tool:
    """What runs a program."""

    names: tuple[str, ...]
    before: tuple[str, ...] = ()


TOOLS = {
    "python": Tool(("python3",)),
    "node": Tool(("node", "nodejs")),
    "go": Tool(("go", "/usr/local/go/bin/go"), ("run",)),
    "java": Tool(("java",)),
    "php": Tool(("php",)),
    "shell": Tool(("sh",)),
}
EXAMPLE = Example(
    HOOK_ID,
    TIMESTAMP_S,
    standard_signature(SECRET.encode(), HOOK_ID, TIMESTAMP_S, BODY.encode()),
    coro_signature(SECRET.encode(), HOOK_ID),
    BODY,
)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where Go keeps what it compiles, so that it does so once."""
    return tmp_path_factory.mktemp("go")


def run(name: str, code: str, folder: Path, cache: Path, *, secret: str = SECRET) -> str:
    """Run a program; return what it prints."""
    tool = TOOLS[name]
    found = next(filter(None, map(shutil.which, tool.names)), None)
    if found is None or (name == "shell" and shutil.which("openssl") is None):
        pytest.skip(f"{LANGUAGES[name].label} is not installed here, so its example was not run")
    file = folder / LANGUAGES[name].file
    file.write_text(code, encoding="utf-8")
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "SECRET": secret,
        "LANG": "C.UTF-8",
        "GOCACHE": str(cache),
        "GOTOOLCHAIN": "local",
    }
    command = [found, *tool.before, str(file)]
    done = subprocess.run(  # noqa: S603 - our own program, with an interpreter of this machine
        command, cwd=folder, env=environ, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.timeout(LIMIT_S + 20)
@pytest.mark.parametrize("name", RUN)
def test_example_runs_as_it_stands_and_tells_a_changed_body_and_another_secret(
    name: str, tmp_path: Path, cache: Path
) -> None:
    assert run(name, sample(name, EXAMPLE).code, tmp_path, cache) == "authentic"
    changed = EXAMPLE._replace(body=BODY.replace("O'Brien", "O'Bryan"))
    assert run(name, sample(name, changed).code, tmp_path, cache) == "NOT authentic"
    assert run(name, sample(name, EXAMPLE).code, tmp_path, cache, secret="another") == "NOT authentic"


@pytest.mark.timeout(LIMIT_S + 20)
@pytest.mark.parametrize("name", RUN)
def test_example_takes_any_of_two_signatures_and_checks_coros_own(name: str, tmp_path: Path, cache: Path) -> None:
    two = EXAMPLE._replace(signature=f"v1,AAAA {EXAMPLE.signature}")
    assert run(name, sample(name, two).code, tmp_path, cache) == "authentic"
    code = sample(name, EXAMPLE).code
    before, after = OTHER_CHECK[name]
    assert before in code
    code = code.replace(before, after)
    if name == "go":
        code = code.replace("\t_ = isFromCoro\n", "\t_ = isAuthentic\n")
    assert run(name, code, tmp_path, cache) == "authentic"
    assert run(name, code.replace(EXAMPLE.coro, "0" * 64), tmp_path, cache) == "NOT authentic"
