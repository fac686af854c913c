"""One audit rule in a file of its own, and the kernel told of it (audit.rules(7), augenrules(8))."""

from __future__ import annotations

import hashlib
from pathlib import Path

from bulkhead.actuators.files.hands import Hands
from bulkhead.actuators.node import programs
from bulkhead.app.ports import FileFacts
from bulkhead.core.errors import Conflict, PlanRefused

_LOAD = ("augenrules", "--load")
_SECONDS = 30.0
_files = Hands()


def place(root: Path, path: str) -> tuple[Path, str]:
    return root / "etc/audit/rules.d", f"60-bulkhead-{hashlib.sha256(path.encode()).hexdigest()[:12]}.rules"


def rule(path: str) -> bytes:
    """Raises PlanRefused where the path cannot stand in a rule."""
    if not path.startswith("/") or not path.isprintable() or " " in path:
        raise PlanRefused("such a path cannot stand in an audit rule", where=path)
    return f"# Written by bulkhead\n-w {path} -p rwxa -k bulkhead\n".encode()


def rehearse(root: Path, path: str) -> None:
    rule(path)
    folder, name = place(root, path)
    if not folder.is_dir() or not programs.there(_LOAD[0]):
        raise PlanRefused("the audit daemon is not installed here", where=path, hint="install auditd, and scan again")
    if _files.current(str(folder), name) not in (None, rule(path)):
        raise Conflict("somebody else changed our rule", where=str(folder / name))


async def apply(root: Path, path: str) -> None:
    folder, name = place(root, path)
    _files.replace(str(folder), name, rule(path), FileFacts(mode=0o640, uid=0, gid=0))
    await programs.run(_LOAD, seconds=_SECONDS)


async def undo(root: Path, path: str) -> None:
    folder, name = place(root, path)
    found = _files.current(str(folder), name)
    if found is None:
        return
    if found != rule(path):
        raise Conflict("somebody else changed our rule", where=str(folder / name))
    _files.remove(str(folder), name)
    await programs.run(_LOAD, seconds=_SECONDS)


def watched(root: Path, path: str) -> bool:
    folder, name = place(root, path)
    return _files.current(str(folder), name) == rule(path)
