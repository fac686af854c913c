"""Facts that never change, kept as files by their key: they can be made again, so a broken one is as good as none."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from bulkhead.store.private import private_folder

_MOST: Final = 2_000
_SIZE: Final = 16 * 1024 * 1024


class KeptFacts:
    """A folder of ours.

    Args:
        folder: made when something is kept first.
        version: of the program; what another version found is not used.
    """

    def __init__(self, folder: Path, version: str) -> None:
        self._folder = folder
        self._version = version

    def get(self, key: str) -> dict[str, Any] | None:
        """What is kept; None where there is nothing, or nothing whole."""
        try:
            with self._path(key).open("rb") as file:
                found = msgspec.json.decode(file.read(_SIZE))
        except (OSError, msgspec.DecodeError, RecursionError):
            return None
        return found if isinstance(found, dict) else None

    def put(self, key: str, facts: dict[str, Any]) -> None:
        """Keep facts; the oldest go when there are too many. That it cannot be kept is no failure."""
        data = msgspec.json.encode(facts)
        if len(data) > _SIZE:
            return
        with suppress(OSError):
            private_folder(self._folder)
            self._room()
            draft = self._folder / f".{os.urandom(8).hex()}"
            try:
                handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                draft.replace(self._path(key))
            finally:
                draft.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._folder / f"{hashlib.sha256(f'{self._version} {key}'.encode()).hexdigest()}.json"

    def _room(self) -> None:
        files = list(self._folder.glob("*.json"))
        if len(files) >= _MOST:
            for old in sorted(files, key=lambda path: path.stat().st_mtime)[: _MOST // 4]:
                old.unlink(missing_ok=True)
