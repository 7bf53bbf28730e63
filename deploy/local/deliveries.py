"""Reads what reached the demo receiver: one JSON line a delivery."""

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Delivery:
    """What the receiver saw of one delivery."""

    hook_id: str
    type: str
    workspace_id: str
    verified: bool
    received_at: str

    def line(self) -> str:
        """Return it as one line for people."""
        mark = "signature valid" if self.verified else "SIGNATURE INVALID"
        return f"{self.received_at}  {self.type}  {self.workspace_id}  {mark}  hook {self.hook_id}"


class DeliveryLog:
    """The receiver's lines from now on; a torn last line waits for its rest."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._at_bytes = file.stat().st_size if file.exists() else 0

    def new(self) -> list[Delivery]:
        """Return what arrived since the last call, oldest first."""
        if not self._file.exists():
            return []
        with self._file.open("rb") as stream:
            stream.seek(self._at_bytes)
            whole, newline, _torn = stream.read().rpartition(b"\n")
        self._at_bytes += len(whole) + len(newline)
        parsed = (_parse(line) for line in whole.split(b"\n") if line.strip())
        return [delivery for delivery in parsed if delivery is not None]


def _parse(line: bytes) -> Delivery | None:
    try:
        row = json.loads(line)
        return Delivery(
            hook_id=str(row["hook_id"]),
            type=str(row["type"]),
            workspace_id=str(row["workspace_id"]),
            verified=row["verified"] is True,
            received_at=str(row["received_at"]),
        )
    except (ValueError, KeyError, TypeError):
        return None
