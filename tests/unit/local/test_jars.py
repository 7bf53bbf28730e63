"""Only the locked jars run; what is wrong is named."""

import hashlib
from pathlib import Path

import pytest

from deploy.local.errors import LocalError
from deploy.local.jars import LOCK_FILE, locked_jars, read_lock, verify

CONTENT = b"a jar"
LOCK = {"good-1.jar": hashlib.sha256(CONTENT).hexdigest()}


def _folder(tmp_path: Path, **jars: bytes) -> Path:
    folder = tmp_path / "jars"
    folder.mkdir()
    for stem, content in jars.items():
        (folder / f"{stem.replace('_', '-')}.jar").write_bytes(content)
    return folder


def test_locked_jars_pass_when_each_has_its_checksum(tmp_path: Path) -> None:
    verify(_folder(tmp_path, good_1=CONTENT), LOCK)


@pytest.mark.parametrize(
    ("jars", "sentence"),
    [
        ({"good_1": b"another jar"}, r"good-1\.jar differs from its checksum"),
        ({}, r"good-1\.jar is missing"),
        ({"good_1": CONTENT, "stranger": b""}, r"stranger\.jar is not in jars\.sha256"),
    ],
)
def test_the_wrong_jar_is_named_when_folder_and_lock_differ(
    tmp_path: Path, jars: dict[str, bytes], sentence: str
) -> None:
    with pytest.raises(LocalError, match=sentence):
        verify(_folder(tmp_path, **jars), LOCK)


def test_a_present_folder_is_verified_when_nothing_has_to_be_fetched(tmp_path: Path) -> None:
    lock_file = tmp_path / "lock"
    lock_file.write_text("0000  good-1.jar\n", encoding="utf-8")
    with pytest.raises(LocalError, match="differs"):
        locked_jars(_folder(tmp_path, good_1=CONTENT), lock_file=lock_file)


@pytest.mark.parametrize("text", ["no checksum here at all", "justonename"])
def test_the_lock_is_refused_when_a_line_is_not_checksum_and_name(tmp_path: Path, text: str) -> None:
    lock_file = tmp_path / "lock"
    lock_file.write_text(text, encoding="utf-8")
    with pytest.raises(LocalError, match="make lock-jars"):
        read_lock(lock_file)


def test_the_committed_lock_brings_broker_and_log_binding_when_read() -> None:
    names = read_lock(LOCK_FILE)
    assert {"kafka_2.13-4.3.1.jar", "kafka-clients-4.3.1.jar", "slf4j-api-1.7.36.jar"} <= names.keys()
    assert len([name for name in names if name.startswith("log4j-slf4j-impl-")]) == 1
