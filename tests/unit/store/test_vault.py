"""What is sealed opens with the right key, for its own row and field, and for nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coro_events.errors import SecretUnreadableError, SettingsError
from coro_events.runtime.keys import parse_keys
from coro_events.store.vault import Vault

OLD = "old:" + "b2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xkb28="
NEW = "new:" + "bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmU="


def vault_of(*keys: str) -> Vault:
    return Vault(parse_keys(",".join(keys), setting="CORO_SECRET_KEYS"))


@given(plain=st.text(), row=st.text(min_size=1), field=st.text(min_size=1))
def test_sealed_text_opens_to_itself(plain: str, row: str, field: str) -> None:
    vault = vault_of(NEW)
    assert vault.open(vault.seal(plain, row=row, field=field), row=row, field=field) == plain


def test_same_text_is_sealed_differently_each_time() -> None:
    vault = vault_of(NEW)
    sealed = {vault.seal("secret", row="1", field="secret") for _ in range(100)}
    assert len(sealed) == 100
    assert all(b"secret" not in value for value in sealed)


@pytest.mark.parametrize(("row", "field"), [("2", "secret"), ("1", "headers")])
def test_value_does_not_open_when_it_was_copied_to_another_place(row: str, field: str) -> None:
    vault = vault_of(NEW)
    sealed = vault.seal("plain", row="1", field="secret")
    with pytest.raises(SecretUnreadableError) as refused:
        vault.open(sealed, row=row, field=field)
    assert refused.value.detail == f"{field} of {row} does not belong there"


def test_old_value_opens_and_new_one_is_sealed_with_the_new_key_when_the_ring_was_rotated() -> None:
    sealed = vault_of(OLD).seal("plain", row="1", field="secret")
    rotated = vault_of(NEW, OLD)
    assert rotated.open(sealed, row="1", field="secret") == "plain"
    again = rotated.seal("plain", row="1", field="secret")
    assert vault_of(NEW).open(again, row="1", field="secret") == "plain"


def test_value_does_not_open_when_its_key_is_gone() -> None:
    sealed = vault_of(OLD).seal("plain", row="1", field="secret")
    with pytest.raises(SecretUnreadableError, match="sealed with a key that is not there"):
        vault_of(NEW).open(sealed, row="1", field="secret")


def test_value_does_not_open_when_another_key_bears_the_same_id() -> None:
    sealed = vault_of(OLD).seal("plain", row="1", field="secret")
    with pytest.raises(SecretUnreadableError, match="does not belong there"):
        vault_of("old:" + NEW.partition(":")[2]).open(sealed, row="1", field="secret")


@given(st.binary())
def test_rubbish_is_refused_and_never_a_crash(sealed: bytes) -> None:
    with pytest.raises(SecretUnreadableError):
        vault_of(NEW).open(sealed, row="1", field="secret")


@given(st.data())
def test_value_does_not_open_when_any_byte_was_changed(data: st.DataObject) -> None:
    vault = vault_of(NEW)
    sealed = bytearray(vault.seal("plain", row="1", field="secret"))
    position = data.draw(st.integers(0, len(sealed) - 1))
    sealed[position] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SecretUnreadableError):
        vault.open(bytes(sealed), row="1", field="secret")


@pytest.mark.parametrize("cut", range(1, 30))
def test_value_does_not_open_when_its_end_is_missing(cut: int) -> None:
    vault = vault_of(NEW)
    sealed = vault.seal("plain", row="1", field="secret")
    with pytest.raises(SecretUnreadableError):
        vault.open(sealed[:-cut], row="1", field="secret")


def test_first_key_seals_and_spaces_do_not_matter() -> None:
    assert list(parse_keys(f" {NEW} , {OLD},", setting="X")) == ["new", "old"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        " , ",
        "no-colon",
        ":" + NEW.partition(":")[2],
        "id:",
        "id:not base64",
        "id:c2hvcnQ=",
        "i" * 33 + ":" + NEW.partition(":")[2],
        f"{NEW},{NEW}",
        f"{NEW},rubbish",
    ],
)
def test_ring_is_refused_when_it_is_no_ring_and_the_sentence_holds_no_key(text: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse_keys(text, setting="CORO_SECRET_KEYS")
    assert "CORO_SECRET_KEYS" in str(refused.value)
    assert NEW.partition(":")[2] not in str(refused.value)
    assert "c2hvcnQ" not in str(refused.value)
