"""The secrets of one local stack: made at random the first time, kept readable by their owner only."""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from deploy.local.places import kept, read_json, write_private


@dataclass(frozen=True)
class Credential:
    """An API client's name and password."""

    client_id: str
    client_secret: str


@dataclass(frozen=True)
class Keys:
    """What must be the same at the next start, or stored values could not be read again."""

    folder: Path

    @property
    def secret_keys(self) -> str:
        """Key ring for values encrypted at rest."""
        return kept(self.folder / "secret_keys", _key_ring)

    @property
    def token_keys(self) -> str:
        """Key ring for access tokens."""
        return kept(self.folder / "token_keys", _key_ring)

    @property
    def admin_password_file(self) -> Path:
        """File with the password of the demo's admin."""
        return self._file("admin_password")

    @property
    def receiver_secret_file(self) -> Path:
        """File with the secret that the demo webhook signs with."""
        return self._file("receiver_secret")

    def credential(self, database: str) -> Credential | None:
        """Return the demo's credential in this database, whose secret the database does not know."""
        found = (read_json(self._credentials) or {}).get(_name(database))
        return Credential(**found) if found else None

    def keep_credential(self, database: str, credential: Credential) -> None:
        """Remember the demo's credential in this database."""
        entry = {"client_id": credential.client_id, "client_secret": credential.client_secret}
        known = read_json(self._credentials) or {}
        write_private(self._credentials, json.dumps({**known, _name(database): entry}))

    @property
    def _credentials(self) -> Path:
        return self.folder / "credentials.json"

    def _file(self, name: str) -> Path:
        kept(self.folder / name, lambda: secrets.token_urlsafe(24))
        return self.folder / name


def _key_ring() -> str:
    return f"local{secrets.token_hex(2)}:{base64.b64encode(secrets.token_bytes(32)).decode()}"


def _name(database: str) -> str:
    return hashlib.sha256(database.encode()).hexdigest()[:16]
