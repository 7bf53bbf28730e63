"""Secrets of the local stack stay the same, and private."""

import base64
from pathlib import Path

import pytest

from deploy.local.keys import Credential, Keys


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def test_a_key_ring_is_the_same_when_read_again(folder: Path) -> None:
    first = Keys(folder)
    assert (first.secret_keys, first.token_keys) == (Keys(folder).secret_keys, Keys(folder).token_keys)
    assert first.secret_keys != first.token_keys


def test_a_key_ring_holds_32_bytes_when_made(folder: Path) -> None:
    name, _, encoded = Keys(folder).secret_keys.partition(":")
    assert name.isalnum()
    assert len(base64.b64decode(encoded, validate=True)) == 32


def test_only_the_owner_can_read_when_a_secret_is_kept(folder: Path) -> None:
    keys = Keys(folder)
    keys.keep_credential("a", Credential("id", "secret"))
    files = [keys.admin_password_file, keys.receiver_secret_file, *folder.iterdir()]
    assert keys.secret_keys
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_each_database_has_its_credential_when_the_stack_moves_between_two(folder: Path) -> None:
    keys = Keys(folder)
    one, two = Credential("one", "secret one"), Credential("two", "secret two")
    keys.keep_credential("postgresql://one", one)
    keys.keep_credential("postgresql://two", two)
    assert Keys(folder).credential("postgresql://one") == one
    assert Keys(folder).credential("postgresql://two") == two
    assert Keys(folder).credential("postgresql://three") is None
