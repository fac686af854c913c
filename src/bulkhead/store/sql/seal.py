"""Bytes sealed with AES-256-GCM (NIST SP 800-38D) under the state's own key, bound to the row they belong to.

A sealed value is the 96-bit random nonce followed by the ciphertext and its tag. With random nonces one key is good for
2^32 values, far more than a journal holds.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from bulkhead.core.errors import StoreError
from bulkhead.store.private import private_file

_KEY = 32
_NONCE = 12


class Seal:
    """Seals and opens under one key, which is made when it is first needed."""

    def __init__(self, path: Path, *, may_create: bool) -> None:
        self._path = path
        self._may_create = may_create
        self._key = b""

    def seal(self, data: bytes, *row: str) -> bytes:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(_NONCE)
        return nonce + AESGCM(self._load()).encrypt(nonce, data, _associated(row))

    def open(self, sealed: bytes, *row: str) -> bytes:
        """Raises StoreError where the bytes were changed, moved from another row, or sealed under another key."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            return AESGCM(self._load()).decrypt(sealed[:_NONCE], sealed[_NONCE:], _associated(row))
        except (InvalidTag, ValueError) as error:
            raise StoreError("a journal value does not open under this key", where="/".join(row)) from error

    def created(self) -> None:
        """From now on rows depend on the key: if it goes missing, a new one must not take its place."""
        self._may_create = False

    def _load(self) -> bytes:
        if not self._key:
            if self._may_create:
                private_file(self._path, os.urandom(_KEY))
            self._key = self._read()
        return self._key

    def _read(self) -> bytes:
        try:
            handle = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError as error:
            hint = "without the key that sealed the journal its entries cannot be undone"
            raise StoreError(
                f"the state's key cannot be read: {error.strerror}", where=str(self._path), hint=hint
            ) from error
        with os.fdopen(handle, "rb") as file:
            facts = os.fstat(file.fileno())
            if facts.st_uid != os.geteuid() or stat.S_IMODE(facts.st_mode) & 0o077:
                raise StoreError("the state's key is open to others", where=str(self._path), hint="chmod 600 it")
            key = file.read(_KEY + 1)
        if len(key) != _KEY:
            raise StoreError("the state's key is not 32 bytes", where=str(self._path))
        return key


def _associated(row: tuple[str, ...]) -> bytes:
    # Lengths keep ("a", "bc") and ("ab", "c") apart.
    return b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in row)
