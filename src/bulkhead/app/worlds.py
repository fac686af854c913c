"""The worlds that the use cases read and change, by role."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from bulkhead.app.ports import FileFacts
from bulkhead.core.plan import Channel, Step
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


class LiveWorld(Protocol):
    """An engine, a cluster, an account: read through its API, never changed."""

    @property
    def root(self) -> str:
        """What is told of the world in reports and the journal: ``docker:///var/run/docker.sock``."""
        ...

    async def read(self) -> Snapshot:
        """Everything that is ours to judge, and what could not be read.

        Raises:
            SourceError: the world cannot be asked at all.
        """
        ...


class Progress(Protocol):
    """What a channel notes of a step on its way, kept durably before it goes on: enough to go back after a crash."""

    def known(self) -> Mapping[str, Any]:
        """All that was noted so far."""
        ...

    def note(self, **facts: Any) -> None:
        """Add facts (JSON-shaped); they are on the disk when this returns."""
        ...

    def say(self, text: str) -> None:
        """Tell who watches what is waited for; nothing is kept of it."""
        ...


class LiveHands(Protocol):
    """Carries out one channel's steps; decides nothing. Every call is bounded in time.

    ``apply`` and ``undo`` go on from wherever an earlier call stopped, by what the world and the progress say.
    """

    @property
    def channel(self) -> Channel: ...

    async def rehearse(self, step: Step) -> tuple[str, ...]:
        """The world's own opinion, nothing being changed (a server-side dry run); warnings for people.

        Raises:
            Conflict: what is there is not ``step.before``.
            PlanRefused: the world, or this channel here, does not take the change; the message says why.
            SourceError: the world cannot be asked.
        """
        ...

    async def apply(self, step: Step, progress: Progress) -> None:
        """Make the change and wait until the target is well again (healthy, rolled out, answering).

        Notes ``written``, the record as text, where the world's own form of the change is not ``step.change``; and ``aside``,
        the id of what is kept for the way back.

        Raises:
            Conflict: what is there is not ``step.before``; nothing was changed.
            SourceError: it could not be done, or the target did not come up in time; the caller calls ``undo``.
        """
        ...

    async def well(self, step: Step, progress: Progress) -> str:
        """Why the changed target is not well now; empty when it is. Asked again and again while a canary is watched."""
        ...

    async def undo(self, step: Step, progress: Progress) -> None:
        """Back to ``step.before`` from what was written, or from half of it; nothing when it is there already.

        Raises:
            Conflict: somebody else changed it since; it is left alone.
            SourceError: it could not be put back.
        """
        ...

    async def settle(self, step: Step, progress: Progress) -> bool:
        """Remove what is kept for the way back; whether there was something. An undo afterwards makes it anew, as far as it can."""
        ...

    async def current(self, step: Step, progress: Progress) -> bytes | None:
        """The record as it is now, to be compared with ``before`` and ``change``; None where there is none."""
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
