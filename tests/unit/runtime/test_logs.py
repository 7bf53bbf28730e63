"""One JSON line a happening, from us and from libraries, without local variables."""

import json
import subprocess
import sys
from typing import Any

PROGRAM = """
import logging
from coro_events.runtime.logs import configure, get_logger
configure(service="tests", level="info")
log = get_logger("room")
log.debug("too.quiet")
log.info("thing.happened", number=1)
logging.getLogger("library").warning("said %s", "so")
logging.getLogger("library").info("too quiet")
def deep():
    password = "hidden" + "-word"
    raise ValueError("gone")
try:
    deep()
except ValueError:
    log.exception("thing.failed")
    logging.getLogger("library").exception("failed too")
"""


def lines_of(program: str) -> list[dict[str, Any]]:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert "hidden-word" not in done.stdout
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_line_is_json_with_time_level_service_and_event() -> None:
    lines = lines_of(PROGRAM)
    assert [line["event"] for line in lines] == ["thing.happened", "said so", "thing.failed", "failed too"]
    assert [line["level"] for line in lines] == ["info", "warning", "error", "error"]
    assert {line["service"] for line in lines} == {"tests"}
    assert all(line["at"].endswith("Z") for line in lines)
    assert lines[0]["number"] == 1
    assert lines[0]["room"] == "room"
    assert lines[1]["logger"] == "library"
    assert lines[2]["exception"][0]["exc_type"] == "ValueError"
