"""The worlds that the use cases read and change, by role."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from bulkhead.app.ports import FileFacts
from bulkhead.core.resource import Resource, Snapshot


class FileWorld(Protocol):
    """A tree of files."""

    def read(self, root: str) -> Snapshot:
        """Everything below ``root`` (a folder or one file) that is ours to judge, and what could not be read."""
        ...

    def tried(self, root: str, changes: Mapping[str, bytes]) -> Snapshot:
        """What the files with these bytes would hold, beside the others of the tree as they are."""
        ...


class FileHands(Protocol):
    """Changes files, one at a time, whole or not at all."""

    def current(self, root: str, target: str) -> bytes | None:
        """The bytes now, None when there is no such file.

        Raises:
            SourceError: the target is not a plain file inside the root, or cannot be read.
        """
        ...

    def facts(self, root: str, target: str) -> FileFacts | None:
        """Mode and owner now, None when there is no such file."""
        ...

    def replace(self, root: str, target: str, data: bytes, facts: FileFacts | None) -> None:
        """Put the bytes there in one rename, durably, with this mode and owner.

        Raises:
            SourceError: the disk is full, the place forbidden; what was there is untouched.
        """
        ...

    def remove(self, root: str, target: str) -> None:
        """Take the file away durably."""
        ...


def overlaid(world: FileWorld, snapshot: Snapshot, root: str, changes: Mapping[str, bytes]) -> Snapshot:
    """The snapshot as it would be with these files changed; rendered resources stay as they were."""
    read = world.tried(root, changes)
    # A change may have others read again that it concerns.
    anew = {*changes, *(resource.text.path for resource in read.resources if resource.text is not None)}
    kept: list[Resource] = [
        resource
        for resource in snapshot.resources
        if resource.text is None or resource.text.generated or resource.text.path not in anew
    ]
    gaps = [gap for gap in snapshot.gaps if gap.where not in changes]
    kept.extend(read.resources)
    gaps.extend(read.gaps)
    return Snapshot(tuple(kept), tuple(gaps), snapshot.notes)
