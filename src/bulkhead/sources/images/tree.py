"""The file system that layers make together, with the bytes that later layers hide.

Whiteouts are those of the OCI image specification (layer.md, "Whiteouts"): they hide what lower layers hold and nothing
of their own layer.
"""

from __future__ import annotations

import msgspec

WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"
_HOPS = 40
_DEPTH = 256


class Entry(msgspec.Struct, frozen=True):
    layer: int
    size: int
    kind: str
    mode: int
    uid: int
    capable: bool = False


def normal(name: str) -> str | None:
    """The name below the root without ``.`` and ``/`` at its ends; None where it would leave the root or is too long."""
    if len(name) > 4096 or "\0" in name:
        return None
    parts = [part for part in name.split("/") if part not in {"", "."}]
    return None if ".." in parts or len(parts) > _DEPTH else "/".join(parts)


class Tree:
    """Paths to entries, folders to what is in them. ``wasted`` counts hidden bytes by the layer that holds them."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.links: dict[str, str] = {}
        self.wasted: dict[int, int] = {}
        self._within: dict[str, set[str]] = {}

    def add(self, path: str, entry: Entry, target: str = "") -> str:
        """Put an entry, through links in its path as an extractor would; where it came to lie."""
        path = self._through_links(path)
        old = self.entries.get(path)
        there = old is not None or path in self._within
        if there and (entry.kind != "folder" or (old is not None and old.kind != "folder")):
            # All that is below goes too when a file takes a folder's place.
            self._drop(path, entry.layer + 1)
        self.entries[path] = entry
        if entry.kind == "symlink":
            self.links[path] = target
        child = path
        while child:
            parent, _, name = child.rpartition("/")
            if parent and self._is_file(parent):
                # A folder takes a file's place without being named.
                self._drop(parent, entry.layer + 1)
            within = self._within.setdefault(parent, set())
            if name in within:
                break
            within.add(name)
            child = parent
        return path

    def _is_file(self, path: str) -> bool:
        entry = self.entries.get(path)
        return entry is not None and entry.kind not in {"folder", "symlink"}

    def hide(self, path: str, layer: int) -> None:
        """A whiteout: what lower layers have at the path and below it goes."""
        self._drop(self._through_links(path), layer)

    def hide_within(self, folder: str, layer: int) -> None:
        """An opaque whiteout: what lower layers have in the folder goes, the folder stays."""
        folder = self._through_links(folder + "/x").rpartition("/")[0]
        for name in tuple(self._within.get(folder, ())):
            self._drop(f"{folder}/{name}" if folder else name, layer)

    def _drop(self, path: str, layer: int) -> None:
        """Remove the path and all below it as far as it came from layers below ``layer``."""
        pending = [path]
        order = []
        while pending:
            at = pending.pop()
            order.append(at)
            pending += [f"{at}/{name}" if at else name for name in self._within.get(at, ())]
        # Children first, so that a folder is gone only when nothing is left in it.
        for at in reversed(order):
            entry = self.entries.get(at)
            if entry is not None and entry.layer < layer:
                del self.entries[at]
                self.links.pop(at, None)
                self.wasted[entry.layer] = self.wasted.get(entry.layer, 0) + entry.size
            if at not in self.entries and not self._within.get(at):
                self._within.pop(at, None)
                parent, _, name = at.rpartition("/")
                self._within.get(parent, set()).discard(name)

    def _through_links(self, path: str) -> str:
        """The path with links among its folders followed inside the root, as far as they can be."""
        if not self.links:
            return path
        *folders, name = path.split("/")
        done: list[str] = []
        pending = folders[::-1]
        hops = 0
        while pending:
            part = pending.pop()
            if part in {"", "."}:
                continue
            if part == "..":
                done = done[:-1]
                continue
            here = "/".join((*done, part))
            target = self.links.get(here)
            if target is None or hops >= _HOPS or len(pending) > _DEPTH:
                done.append(part)
                continue
            hops += 1
            if target.startswith("/"):
                done = []
            pending += target.split("/")[::-1]
        return "/".join((*done, name))
