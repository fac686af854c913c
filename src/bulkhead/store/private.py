"""Folders and files that are ours alone."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from bulkhead.core.errors import StoreError


def private_folder(folder: Path) -> None:
    """Make or tighten the state's folder to 0700; refuses one that is another user's or a link."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = folder.lstat()
        if not stat.S_ISDIR(facts.st_mode):
            raise StoreError("the state folder is not a folder", where=str(folder), hint="links are not followed")
        if facts.st_uid != os.geteuid():
            raise StoreError("the state folder belongs to another user", where=str(folder))
        if stat.S_IMODE(facts.st_mode) != 0o700:
            folder.chmod(0o700)
    except OSError as error:
        raise StoreError(f"the state folder cannot be used: {error.strerror}", where=str(folder)) from error


def private_file(path: Path, content: bytes = b"") -> None:
    """Make the file with mode 0600 if it is not there; it appears with its whole content or not at all."""
    if path.exists():
        return
    draft = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    try:
        handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            # link, not rename: of two programs that start together the first one's file stays.
            with suppress(FileExistsError):
                os.link(draft, path)
        finally:
            draft.unlink()
    except OSError as error:
        raise StoreError(f"cannot be made: {error.strerror}", where=str(path)) from error
