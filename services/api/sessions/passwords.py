"""Compares passwords: slow on purpose, so off the event loop and few at once."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

# Each takes some 64 MiB and a whole core for tens of milliseconds.
MOST_AT_ONCE = 2
# The bound of `coro users create`: whoever sends more has no password of ours.
MAX_PASSWORD_CHARACTERS = 256
# Compared with when there is no such user, so that both cases take the same time; made with the library's defaults.
_OF_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$lHLHKDmVYXR4ms6kvM7yqA$OuCGa7rZEmamcfdUDhIbkgcn+fzZrpH4Ykc70SYdpDk"


class Passwords:
    """Compares passwords with their hashes."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._slots = asyncio.Semaphore(MOST_AT_ONCE)

    async def matches(self, password_hash: str | None, password: str) -> bool:
        """Return whether a password is the one of a hash; without a hash nothing is, after the same time."""
        if len(password) > MAX_PASSWORD_CHARACTERS:
            return False
        async with self._slots:
            right = await asyncio.to_thread(self._verify, password_hash or _OF_NOBODY, password)
        return right and password_hash is not None

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (Argon2Error, InvalidHashError, UnicodeEncodeError):
            return False
