"""Where the local stack keeps its things: everything under `.local/` of the checkout."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Places:
    """Folders and files of one local stack."""

    local: Path = CHECKOUT / ".local"
    # What can be fetched again and does not differ between stacks.
    cache: Path = CHECKOUT / ".local" / "cache"

    @classmethod
    def named_by(cls, env: Mapping[str, str]) -> Self:
        """Return the places in CORO_LOCAL_DIR, for a second stack of this checkout; else in `.local/`."""
        named = env.get("CORO_LOCAL_DIR")
        return cls(Path(named).resolve()) if named else cls()

    @property
    def logs(self) -> Path:
        """One log file a process."""
        return self.local / "log"

    @property
    def log_of_receiver(self) -> Path:
        """One JSON line for each delivery that reached the demo receiver."""
        return self.logs / "receiver.jsonl"

    @property
    def jars(self) -> Path:
        """Kafka's jars, downloaded once."""
        return self.cache / "jars"

    @property
    def mails(self) -> Path:
        """One .eml file for each mail the stack sent."""
        return self.local / "mail"

    @property
    def keys(self) -> Path:
        """Generated secrets, one a file, readable by their owner only."""
        return self.local / "keys"

    @property
    def postgres(self) -> Path:
        """State of the embedded PostgreSQL."""
        return self.local / "postgres"

    @property
    def kafka(self) -> Path:
        """State of the embedded Kafka."""
        return self.local / "kafka"

    @property
    def run_file(self) -> Path:
        """What other programs read about the running stack."""
        return self.local / "run.json"

    @property
    def lock_file(self) -> Path:
        """Held by the supervisor for as long as it lives; contains its process id."""
        return self.local / "run.lock"

    @property
    def children_file(self) -> Path:
        """Which processes the supervisor started, for the case that it is killed."""
        return self.local / "children.json"

    def prepare(self) -> None:
        """Make the folders."""
        for folder in (self.local, self.logs, self.mails):
            folder.mkdir(parents=True, exist_ok=True)
        self.keys.mkdir(mode=0o700, exist_ok=True)


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner can read, in one step: readers see the old or the new text."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
    draft.replace(file)


def kept(file: Path, make: Callable[[], str]) -> str:
    """Return the text of a private file; make and keep it the first time."""
    if not file.exists():
        write_private(file, make())
    return file.read_text(encoding="utf-8")


def read_json(file: Path) -> Any:
    """Return what a JSON file says, or None where it is missing or torn."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
