"""Flags of control-plane programs: a view on the command of a static pod, or on a process's arguments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bulkhead.core.plan import Edit
from bulkhead.core.resource import DocumentPath, Resource


def lens(resource: Resource) -> Flags:
    return Flags(resource.data if isinstance(resource.data, dict) else {})


@dataclass(frozen=True, slots=True)
class Flags:
    """``flags.NAME`` is the item ``--NAME=value`` of the container's command or args.

    The resource stands at its container; ``data["argv"]`` repeats the lists as they are in the file.
    """

    data: dict[str, Any]

    def target(self, path: DocumentPath) -> DocumentPath | None:
        if path[:1] == ("flags",) and len(path) >= 2:
            found = self._item(str(path[1]))
            return found if found is not None else (self._list(),)
        return ()

    def _list(self) -> str:
        argv = self.data.get("argv")
        keys = [key for key in ("args", "command") if isinstance(argv, dict) and argv.get(key)]
        flagged = [key for key in keys if any(str(item).startswith("--") for item in self.data["argv"][key])]
        return (flagged or keys or ["command"])[0]

    def _item(self, name: str) -> DocumentPath | None:
        argv = self.data.get("argv")
        for key in ("args", "command"):
            for index, item in enumerate(argv.get(key) or () if isinstance(argv, dict) else ()):
                if str(item) == f"--{name}" or str(item).startswith(f"--{name}="):
                    return (key, index)
        return None

    def edits(self, op: str, path: DocumentPath, value: Any) -> tuple[Edit, ...] | None:
        if path[:1] != ("flags",) or len(path) != 2 or "argv" not in self.data:
            return None
        found = self._item(str(path[1]))
        if op == "remove":
            return (Edit(op="remove", path=found),) if found else ()
        text = f"--{path[1]}={value}"
        if op != "set":
            return None
        return (
            Edit(op="set", path=found, value=text) if found else Edit(op="append", path=(self._list(),), value=text),
        )
