"""A plan is data: ordered steps, each with what it needs, may touch, how it is verified and undone."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from bulkhead.core.resource import DocumentPath


class _Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    pass


class Edit(_Part, frozen=True, kw_only=True):
    """One change inside one document of a text, at an absolute path.

    Attributes:
        op: ``set`` (parents are made), ``remove``, ``append`` (to a sequence, made when absent) or a Dockerfile
            operation: ``replace`` (an instruction's text), ``delete``, ``insert_before``, ``insert_after``,
            ``append_text``.
        document: which document or block, from 0.
        path: where.
        value: JSON-shaped for data formats, source text for Dockerfiles.
    """

    op: Literal["set", "remove", "append", "replace", "delete", "insert_before", "insert_after", "append_text"]
    document: int = 0
    path: DocumentPath = ()
    value: Any = None


class Repair(_Part, frozen=True, kw_only=True):
    """Which finding an edit is for."""

    fingerprint: str
    control: str
    mitigation: str
    mode: str
    edits: tuple[Edit, ...] = ()
    note: str = ""


class Step(_Part, frozen=True, kw_only=True):
    """One target changed once.

    Attributes:
        channel: ``file`` here; live channels come with the live worlds.
        target: the file's path relative to the root.
        limit: the most resources this step may touch.
        needs: permissions, in the channel's own words.
        before: the bytes that must be there, None when the target must not exist yet.
        change: the bytes after.
        verify: the fingerprints that must be gone after the change.
        undo: how it is taken back, in words; the journal keeps the bytes.
    """

    id: str
    channel: Literal["file"]
    target: str
    limit: int
    needs: tuple[str, ...]
    before: bytes | None
    change: bytes
    repairs: tuple[Repair, ...]
    verify: tuple[str, ...]
    undo: str


class Unfixed(_Part, frozen=True, kw_only=True):
    """A finding that the plan leaves, and why."""

    fingerprint: str
    control: str
    resource: str
    reason: str
    where: str = ""
    proposal: str = ""


class Plan(_Part, frozen=True, kw_only=True):
    id: str
    tenant: str
    root: str
    steps: tuple[Step, ...]
    unfixed: tuple[Unfixed, ...]
