"""Flags of control-plane programs: a view on a static pod's command, a process's arguments, or kubeadm's extraArgs."""

from __future__ import annotations

from typing import Any

import msgspec

from bulkhead.core.plan import Edit
from bulkhead.core.resource import DocumentPath, Resource


def lens(resource: Resource) -> Flags | ExtraArgs:
    data = resource.data if isinstance(resource.data, dict) else {}
    section = data.get("section")
    if not isinstance(section, list) or not isinstance(data.get("extra"), (dict, list)):
        return Flags(data)
    return ExtraArgs((*map(str, section), "extraArgs"), data["extra"])


class ExtraArgs(msgspec.Struct, frozen=True):
    """``flags.NAME`` is kubeadm's extra argument: a key of a mapping, or an item with a name, by the version.

    The resource stands at the ClusterConfiguration; ``base`` is where its component's arguments are, or would be.
    """

    base: DocumentPath
    extra: dict[str, Any] | list[Any]

    def target(self, path: DocumentPath) -> DocumentPath | None:
        if path[:1] != ("flags",) or len(path) < 2:
            return path
        found = self._items(str(path[1]))
        return found[0] if found else self.base

    def _items(self, name: str) -> list[DocumentPath]:
        if isinstance(self.extra, dict):
            return [(*self.base, name)] if name in self.extra else []
        return [
            (*self.base, index)
            for index, item in enumerate(self.extra)
            if isinstance(item, dict) and item.get("name") == name
        ]

    def edits(self, op: str, path: DocumentPath, value: Any) -> tuple[Edit, ...] | None:
        if path[:1] != ("flags",) or len(path) != 2 or op not in ("set", "remove"):
            return None
        found = self._items(str(path[1]))
        if op == "remove":
            return tuple(Edit(op="remove", path=place) for place in found) or None
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if isinstance(self.extra, dict):
            return (Edit(op="set", path=(*self.base, str(path[1])), value=text),)
        if not found:
            return (Edit(op="append", path=self.base, value={"name": str(path[1]), "value": text}),)
        rest = (Edit(op="remove", path=place) for place in found[1:])
        return (Edit(op="set", path=(*found[0], "value"), value=text), *rest)


class Flags(msgspec.Struct, frozen=True):
    """``flags.NAME`` is the item ``--NAME=value`` of the container's command or args.

    The resource stands at its container; ``data["argv"]`` repeats the lists as they are in the file.
    """

    data: dict[str, Any]

    def target(self, path: DocumentPath) -> DocumentPath | None:
        if path[:1] == ("flags",) and len(path) >= 2:
            found = self._items(str(path[1]))
            return found[0] if found else (self._list(),)
        return path

    def _argv(self) -> dict[str, list[str]]:
        argv = self.data.get("argv")
        lists = {key: argv.get(key) for key in ("args", "command")} if isinstance(argv, dict) else {}
        return {key: [str(item) for item in found] for key, found in lists.items() if isinstance(found, list) and found}

    def _list(self) -> str:
        argv = self._argv()
        flagged = [key for key, items in argv.items() if any(item.startswith("--") for item in items)]
        return (flagged or [*argv] or ["command"])[0]

    def _items(self, name: str) -> list[DocumentPath]:
        """Where the flag stands, each time it is given; ``-name`` is the same flag to Go programs."""
        return [
            (key, index)
            for key, items in self._argv().items()
            for index, item in enumerate(items)
            if item.startswith("-") and item.removeprefix("-").removeprefix("-").partition("=")[0] == name
        ]

    def _apart(self, place: DocumentPath) -> list[DocumentPath]:
        """The item with the value of a flag that is written as two words; none when it is one."""
        key, index = str(place[0]), int(place[1])
        items = self._argv()[key]
        apart = "=" not in items[index] and index + 1 < len(items) and not items[index + 1].startswith("-")
        return [(key, index + 1)] if apart else []

    def edits(self, op: str, path: DocumentPath, value: Any) -> tuple[Edit, ...] | None:
        if path[:1] != ("flags",) or len(path) != 2 or op not in ("set", "remove") or "argv" not in self.data:
            return None
        env = self.data.get("env")
        if isinstance(env, dict) and f"ETCD_{path[1]}".upper().replace("-", "_") in env:
            return None  # etcd does not start where a flag shadows its variable
        found = self._items(str(path[1]))
        gone = [other for place in found for other in self._apart(place)]
        if op == "remove":
            return tuple(Edit(op="remove", path=place) for place in sorted([*found, *gone]))
        text = f"--{path[1]}={value}"
        if not found:
            return (Edit(op="append", path=(self._list(),), value=text),)
        rest = sorted([*found[1:], *gone])
        return (Edit(op="set", path=found[0], value=text), *(Edit(op="remove", path=place) for place in rest))
