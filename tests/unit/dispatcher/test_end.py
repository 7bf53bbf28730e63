"""How the process of a dispatcher ends when something will not."""

import subprocess
import sys

from tests.support.processes import ROOT

LIMIT_S = 30
WITH_A_THREAD_THAT_HANGS = """
import threading
from services.dispatcher.__main__ import end_at_once
threading.Thread(target=threading.Event().wait).start()
print("said before")
end_at_once(3)
"""


def test_process_ends_with_all_it_said_when_a_thread_hangs() -> None:
    command = [sys.executable, "-c", WITH_A_THREAD_THAT_HANGS]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False)  # noqa: S603 - our own words
    assert (ended.returncode, ended.stdout) == (3, "said before\n"), ended.stderr
