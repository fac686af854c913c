"""Layers, lowest first, into one tree with the secrets and accounts that were met on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec

from bulkhead.core.errors import LimitExceeded, ParseError
from bulkhead.sources.images import secrets
from bulkhead.sources.images.bounds import Bounds
from bulkhead.sources.images.files import package_caches, sort_files
from bulkhead.sources.images.stream import Expanded, Hashed, Stream
from bulkhead.sources.images.tar import Member, Tar
from bulkhead.sources.images.tree import OPAQUE, WHITEOUT, Entry, Tree, normal


class Layer(msgspec.Struct, frozen=True):
    """One layer as its manifest describes it.

    Attributes:
        digest: of the bytes as they are stored; empty where the format has none.
        diff_id: of the bytes uncompressed; empty where the configuration has none.
        open: gives the stored bytes from their beginning; raises our errors.
    """

    digest: str
    diff_id: str
    size: int
    media_type: str
    open: Callable[[], Stream]


class _Account(msgspec.Struct):
    layer: int
    lines: tuple[tuple[str, str, str], ...]


class Analysis(msgspec.Struct):
    """Grows with every layer; ``facts`` tells what it has seen."""

    bounds: Bounds
    tree: Tree = msgspec.field(default_factory=Tree)
    odd_names: int = 0
    _members: int = 0
    _files: Counter[int] = msgspec.field(default_factory=Counter)
    _bytes: Counter[int] = msgspec.field(default_factory=Counter)
    _secrets: list[tuple[str, str, int]] = msgspec.field(default_factory=list)
    _accounts: dict[str, _Account] = msgspec.field(default_factory=dict)

    def read(self, index: int, layer: Layer) -> None:
        """Add one layer. Raises ParseError, SourceError or LimitExceeded where it cannot be read whole and unchanged."""
        stored = Hashed(layer.open(), layer.digest.partition(":")[0] or "sha256")
        expanded = Hashed(Expanded(stored, self.bounds), layer.diff_id.partition(":")[0] or "sha256")
        tar = Tar(expanded, header_limit=self.bounds.header)
        for member in tar:
            self._members += 1
            if self._members > self.bounds.members:
                raise LimitExceeded("the layers have more entries than the limit", limit=self.bounds.members)
            self._member(index, member, tar)
        # What follows the end of the archive belongs to the digests too.
        diff_id = expanded.drain()
        digest = stored.drain()
        if layer.digest and digest != layer.digest:
            raise ParseError("the layer's bytes have another digest", where=layer.digest)
        if layer.diff_id and diff_id != layer.diff_id:
            raise ParseError("the layer's content has another digest", where=layer.diff_id)

    def _member(self, index: int, member: Member, tar: Tar) -> None:
        path = normal(member.name)
        if path is None:
            # An extractor refuses it; so it is in no container, but somebody made it.
            self.odd_names += 1
            return
        folder, _, name = path.rpartition("/")
        if name == OPAQUE:
            self.tree.hide_within(folder, index)
        elif name.startswith(WHITEOUT):
            # .wh..wh. names are the bookkeeping of aufs.
            if not name.startswith(WHITEOUT * 2) and name != WHITEOUT:
                self.tree.hide(f"{folder}/{name[len(WHITEOUT) :]}" if folder else name[len(WHITEOUT) :], index)
        elif path:
            entry = Entry(index, member.size, member.kind, member.mode, member.uid, member.capable)
            path = self.tree.add(path, entry, member.target)
            self._files[index] += member.kind != "folder"
            self._bytes[index] += member.size
            if member.kind == "file":
                self._content(index, path, member, tar)

    def _content(self, index: int, path: str, member: Member, tar: Tar) -> None:
        head = b""
        if path in {"etc/passwd", "etc/shadow"}:
            head = tar.head(self.bounds.account_file)
            self._accounts[path] = _Account(index, _account_lines(head))
        elif secrets.wants_content(path, member.size):
            head = tar.head(self.bounds.head)
        if (kind := secrets.kind_of(path, head)) and len(self._secrets) < self.bounds.listed * 10:
            self._secrets.append((path, kind, index))

    def facts(self, layers: tuple[Layer, ...]) -> dict[str, Any]:
        """What controls look at, all layers read."""
        tree, limit = self.tree, self.bounds.listed
        total, wasted = sum(self._bytes.values()), sum(tree.wasted.values())
        files = sort_files(tree.entries, limit)
        files["secrets"] = [self._secret(found, layers) for found in self._secrets[:limit]]
        files["counts"]["secrets"] = len(self._secrets)
        files["empty_passwords"] = self._empty_passwords()
        files["duplicate_uids"] = self._duplicate_uids()
        return {
            "files": files,
            "size": total,
            "wasted_bytes": wasted,
            "wasted_percent": round(100 * wasted / total, 1) if total else 0.0,
            "package_cache": package_caches(tree.entries),
        }

    def layer_facts(self, index: int) -> dict[str, int]:
        return {"files": self._files[index], "wasted": self.tree.wasted.get(index, 0)}

    def _secret(self, found: tuple[str, str, int], layers: tuple[Layer, ...]) -> dict[str, Any]:
        path, kind, index = found
        entry = self.tree.entries.get(path)
        layer = layers[index].digest or layers[index].diff_id
        # Hidden in the last file system, but there for everyone who can pull the layer.
        return {"path": f"/{path}", "kind": kind, "layer": layer, "deleted": entry is None or entry.layer != index}

    def _lines(self, path: str) -> tuple[tuple[str, str, str], ...]:
        account, entry = self._accounts.get(path), self.tree.entries.get(path)
        return account.lines if account and entry and entry.layer == account.layer else ()

    def _empty_passwords(self) -> list[str]:
        found = {
            name for path in ("etc/passwd", "etc/shadow") for name, password, _ in self._lines(path) if not password
        }
        return sorted(found)[: self.bounds.listed]

    def _duplicate_uids(self) -> list[str]:
        counts = Counter(uid for _, _, uid in self._lines("etc/passwd"))
        return sorted(uid for uid, count in counts.items() if count > 1)[: self.bounds.listed]


def _account_lines(data: bytes) -> tuple[tuple[str, str, str], ...]:
    """Name, whether there is a password (``*`` for any), and the third field; never the hash itself."""
    out = []
    for line in data.decode("utf-8", "replace").splitlines():
        fields = line.split(":")
        if len(fields) > 2 and fields[0] and not line.startswith("#"):
            out.append((fields[0], "*" if fields[1] else "", fields[2]))
    return tuple(out)
