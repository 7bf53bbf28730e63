"""What reached the demo receiver is read line by line."""

import json
from pathlib import Path

from deploy.local.deliveries import DeliveryLog

ROW = {
    "hook_id": "0b5e",
    "type": "workspace-created",
    "workspace_id": "demo_child_one",
    "verified": True,
    "received_at": "2026-01-01T00:00:00.000Z",
}


def _append(file: Path, text: str) -> None:
    with file.open("a", encoding="utf-8") as stream:
        stream.write(text)


def test_only_new_lines_are_told_when_the_file_has_older_ones(tmp_path: Path) -> None:
    file = tmp_path / "log"
    _append(file, json.dumps({**ROW, "hook_id": "old"}) + "\n")
    log = DeliveryLog(file)
    _append(file, json.dumps(ROW) + "\n")
    assert [one.hook_id for one in log.new()] == ["0b5e"]
    assert log.new() == []


def test_a_torn_line_waits_when_its_end_is_not_written_yet(tmp_path: Path) -> None:
    file = tmp_path / "log"
    log = DeliveryLog(file)
    line = json.dumps(ROW)
    _append(file, line[:20])
    assert log.new() == []
    _append(file, line[20:] + "\n")
    assert [one.workspace_id for one in log.new()] == ["demo_child_one"]


def test_other_lines_are_skipped_when_they_are_no_deliveries(tmp_path: Path) -> None:
    file = tmp_path / "log"
    log = DeliveryLog(file)
    _append(file, 'Listening\n[1]\n{"hook_id": "x"}\n' + json.dumps(ROW) + "\n")
    assert len(log.new()) == 1


def test_a_wrong_signature_shows_when_a_delivery_is_printed(tmp_path: Path) -> None:
    file = tmp_path / "log"
    log = DeliveryLog(file)
    _append(file, json.dumps({**ROW, "verified": None}) + "\n")
    assert "INVALID" in log.new()[0].line()
