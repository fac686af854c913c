"""Members of a group in /etc/group and /etc/gshadow (group(5), gshadow(5)), and a variable for everybody's shells."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bulkhead.actuators.files.hands import Hands
from bulkhead.app.ports import FileFacts
from bulkhead.core.errors import Conflict, PlanRefused, SourceError

_files = Hands()
_VARIABLE = "bulkhead-content-trust.sh"
_TEXT = b"# Written by bulkhead: only signed images are pulled and run\nexport DOCKER_CONTENT_TRUST=1\n"


def members(root: Path, group: str) -> list[str]:
    """Raises SourceError where there is no such group."""
    for line in _lines(root / "etc/group"):
        parts = line.split(":")
        if parts[0] == group and len(parts) == 4:
            return [name for name in parts[3].split(",") if name]
    raise SourceError("there is no such group", where=group)


def replace(root: Path, group: str, wanted: Sequence[str]) -> None:
    """Raises PlanRefused where a name cannot stand in the file."""
    if bad := [name for name in wanted if not name or set(name) & set(",:\n")]:
        raise PlanRefused("such a name cannot be a member", where=bad[0])
    for name in ("group", "gshadow"):
        path = root / "etc" / name
        if not path.exists():
            continue
        lines = []
        for line in _lines(path):
            parts = line.split(":")
            lines.append(":".join([*parts[:3], ",".join(wanted)]) if parts[0] == group and len(parts) == 4 else line)
        _files.replace(str(path.parent), name, ("\n".join(lines) + "\n").encode(), _files.facts(str(path.parent), name))


def _lines(path: Path) -> list[str]:
    data = _files.current(str(path.parent), path.name)
    if data is None:
        raise SourceError("there is no such file", where=str(path))
    return data.decode("utf-8", "surrogateescape").splitlines()


def everybody(root: Path, group: str) -> list[str]:
    """The members that the file lists, then the users whose own primary group it is, as a scan tells them."""
    number = next(line.split(":")[2] for line in _lines(root / "etc/group") if line.split(":")[0] == group)
    found = members(root, group)
    users = [line.split(":") for line in _lines(root / "etc/passwd")]
    return found + [user[0] for user in users if len(user) > 3 and user[3] == number and user[0] not in found]


def listed(root: Path, group: str, wanted: Sequence[str]) -> list[str]:
    """Those of the wanted members that the file shall list.

    Raises:
        PlanRefused: somebody is to leave whose primary group it is; that stands in another file.
    """
    primary = [name for name in everybody(root, group) if name not in members(root, group)]
    if gone := [name for name in primary if name not in wanted]:
        raise PlanRefused(f"{gone[0]} has {group} as the primary group", where=group, hint="change it with usermod -g")
    return [name for name in wanted if name not in primary]


def variable(root: Path) -> bool:
    return _files.current(str(root / "etc/profile.d"), _VARIABLE) == _TEXT


def set_variable(root: Path) -> None:
    folder = root / "etc/profile.d"
    if not folder.is_dir():
        raise PlanRefused("there is no /etc/profile.d here", where=str(folder))
    if _files.current(str(folder), _VARIABLE) not in (None, _TEXT):
        raise Conflict("somebody else changed our file", where=str(folder / _VARIABLE))
    _files.replace(str(folder), _VARIABLE, _TEXT, FileFacts(mode=0o644, uid=0, gid=0))


def unset_variable(root: Path) -> None:
    if variable(root):
        _files.remove(str(root / "etc/profile.d"), _VARIABLE)
