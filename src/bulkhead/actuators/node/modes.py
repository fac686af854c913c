"""Mode and owner of one file, folder or socket, through a handle that follows no link (open(2), O_PATH)."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import msgspec

from bulkhead.core.errors import Conflict, PlanRefused, SourceError


class Facts(msgspec.Struct, frozen=True):
    """Mode in octal as ``stat -c %a`` has it, owner and group by name where they have one."""

    mode: str
    owner: str
    group: str


class Names:
    """Users and groups by the machine's own files, as a scan tells them (passwd(5), group(5))."""

    def __init__(self, root: Path) -> None:
        self._users = _listed(root / "etc/passwd")
        self._groups = _listed(root / "etc/group")

    def user(self, number: int) -> str:
        return self._users.get(number, str(number))

    def group(self, number: int) -> str:
        return self._groups.get(number, str(number))

    def number(self, name: Any, *, user: bool) -> int:
        """Raises PlanRefused where nobody is called like that."""
        text = str(name)
        for number, known in (self._users if user else self._groups).items():
            if known == text:
                return number
        if text.isdecimal():
            return int(text)
        raise PlanRefused(f"there is no {'user' if user else 'group'} called '{text}' here")


def _listed(path: Path) -> dict[int, str]:
    found: dict[int, str] = {}
    try:
        lines = path.read_bytes().decode("utf-8", "replace").splitlines()
    except OSError:
        return {}
    for line in lines:
        parts = line.split(":")
        if len(parts) > 2 and parts[2].isdecimal():
            found.setdefault(int(parts[2]), parts[0])
    return found


def facts(path: Path, names: Names) -> Facts | None:
    """None where there is nothing.

    Raises:
        SourceError: it may not be looked at.
    """
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise SourceError(str(error.strerror).lower(), where=str(path)) from error
    return Facts(f"{stat.S_IMODE(found.st_mode):o}", names.user(found.st_uid), names.group(found.st_gid))


def same(told: dict[str, Any], found: Facts) -> bool:
    """Whether the record tells of these facts; a leading 0 of a mode says nothing."""
    return (_bits(told.get("mode")), told.get("owner"), told.get("group")) == (
        _bits(found.mode),
        found.owner,
        found.group,
    )


def _bits(mode: Any) -> int:
    text = str(mode)
    return int(text, 8) if text and set(text) <= set("01234567") else -1


def give(path: Path, wanted: dict[str, Any], names: Names) -> None:
    """Set mode, owner and group.

    Raises:
        PlanRefused: it is a link, or there is no such owner.
        SourceError: it could not be done; what was there is put back as far as it can.
    """
    uid, gid, bits = (
        names.number(wanted.get("owner"), user=True),
        names.number(wanted.get("group"), user=False),
        _bits(wanted.get("mode")),
    )
    if bits < 0:
        raise PlanRefused("the wanted mode is not octal", where=str(path))
    handle = -1
    try:
        handle = os.open(path, os.O_PATH | os.O_NOFOLLOW)
        status = os.fstat(handle)
        if stat.S_ISLNK(status.st_mode):
            raise PlanRefused("a link is never followed", where=str(path))
        through = f"/proc/self/fd/{handle}"
        # The owner first: a change of owner may clear bits of the mode.
        os.chown(through, uid, gid)
        os.chmod(through, bits)  # noqa: PTH101 (a path of a handle)
    except OSError as error:
        raise SourceError(str(error.strerror).lower(), where=str(path)) from error
    finally:
        if handle >= 0:
            os.close(handle)


def change(path: Path, before: dict[str, Any], after: dict[str, Any], names: Names) -> None:
    """From one to the other; nothing where it is the other already.

    Raises:
        Conflict: it is neither.
    """
    found = facts(path, names)
    if found is None:
        raise Conflict("there is no such file any more", where=str(path))
    if same(after, found):
        return
    if not same(before, found):
        raise Conflict(f"it has mode {found.mode} and owner {found.owner}:{found.group} by now", where=str(path))
    give(path, after, names)
