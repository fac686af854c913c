"""Atomic replacement of files below a root.

1. The target must be a plain file, reached without a link, inside the root.
2. The new bytes go to a temporary file in the same folder, with the old one's mode, owner and extended attributes, and
   are flushed to the disk.
3. One rename puts it in place; the folder is flushed. A full disk or a kill before the rename leaves the old file.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

from bulkhead.app.ports import FileFacts
from bulkhead.core.errors import LimitExceeded, SourceError

LIMIT = 64 * 2**20
"""The largest file that is read back, in bytes."""


class Hands:
    """Implements ``app.worlds.FileHands``."""

    def current(self, root: str, target: str) -> bytes | None:
        path = _inside(root, target)
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        except OSError as exc:
            raise _told(exc, target) from exc
        with os.fdopen(handle, "rb") as file:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                raise SourceError("not a plain file", where=target)
            if status.st_size > LIMIT:
                raise LimitExceeded(f"larger than {LIMIT} bytes", where=target)
            return file.read(LIMIT + 1)

    def facts(self, root: str, target: str) -> FileFacts | None:
        path = _inside(root, target)
        try:
            status = path.lstat()
        except FileNotFoundError:
            return None
        return FileFacts(mode=stat.S_IMODE(status.st_mode), uid=status.st_uid, gid=status.st_gid)

    def replace(self, root: str, target: str, data: bytes, facts: FileFacts | None) -> None:
        path = _inside(root, target)
        temporary = path.with_name(f".{path.name}.bulkhead-{os.getpid()}")
        try:
            _write(temporary, data)
            if facts is not None:
                _dress(temporary, path, facts)
            temporary.rename(path)
            _flush(path.parent)
        except OSError as exc:
            with suppress(OSError):
                temporary.unlink()
            raise _told(exc, target) from exc

    def remove(self, root: str, target: str) -> None:
        path = _inside(root, target)
        try:
            path.unlink()
            _flush(path.parent)
        except OSError as exc:
            raise _told(exc, target) from exc


def _inside(root: str, target: str) -> Path:
    """The target's path; its folder must be inside the root once every link is followed."""
    base = Path(root).resolve()
    base = base.parent if base.is_file() else base
    path = base / target
    if Path(target).is_absolute() or not path.parent.resolve().is_relative_to(base):
        raise SourceError("the path leaves the root", where=target)
    if path.is_symlink():
        raise SourceError("a link is never written through", where=target)
    return path


def _write(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _dress(temporary: Path, old: Path, facts: FileFacts) -> None:
    """Owner first: changing it may clear mode bits. Only root can give a file away; another user's stays ours."""
    if facts.uid >= 0 and (os.geteuid() == 0 or facts.uid == os.geteuid()):
        os.chown(temporary, facts.uid, facts.gid)
    temporary.chmod(facts.mode)
    for name in os.listxattr(old) if old.exists() else ():
        with suppress(OSError):
            os.setxattr(temporary, name, os.getxattr(old, name))


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _told(exc: OSError, target: str) -> SourceError:
    hint = {
        errno.ENOSPC: "the disk is full; nothing was changed",
        errno.EACCES: "not permitted",
        errno.ELOOP: "a link is never followed",
    }
    return SourceError(str(exc.strerror or exc).lower(), where=target, hint=hint.get(exc.errno or 0, ""))
