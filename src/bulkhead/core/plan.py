"""A plan is data: ordered steps, each with what it needs, may touch, how it is verified and undone."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from bulkhead.core.resource import DocumentPath, Ref

Channel = Literal["file", "docker", "node", "kubernetes", "aws"]
"""Who carries a step out: files of a tree, a Docker engine, a machine's files and daemon, a cluster's API, an account's API."""

Risk = Literal["none", "restart", "outage", "data"]


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
        channel: who carries it out.
        target: a file's path relative to the root, or a live resource for people (``DockerContainer/web``).
        ref: the live resource; None for a file.
        limit: the most resources this step may touch.
        needs: permissions, in the channel's own words.
        before: what must be there: a file's bytes, a live resource's record (canonical JSON, see ``mitigation.records``);
            None when the target must not exist yet.
        change: the same, after.
        verify: the fingerprints that must be gone after the change.
        undo: how it is taken back, in words; the journal keeps the bytes.
        method: how the channel does it, in the channel's words (``update``, ``recreate``, ``reload``, ``apply`` …).
        risk: the gravest of its repairs.
        approval: the class of consent it took: the gravest of its repairs.
        wave: steps of a wave are done together; wave 0 is the canary, watched before the next begins.
    """

    id: str
    channel: Channel
    target: str
    limit: int
    needs: tuple[str, ...]
    before: bytes | None
    change: bytes
    repairs: tuple[Repair, ...]
    verify: tuple[str, ...]
    undo: str
    ref: Ref | None = None
    method: str = ""
    risk: Risk = "none"
    approval: str = "auto"
    wave: int = 0


class Window(_Part, frozen=True, kw_only=True):
    """When changes that may interrupt something are allowed.

    Attributes:
        days: ``mon`` … ``sun``, the day on which the window begins; empty for every day.
        start, end: ``HH:MM``; an end at or before the start is on the next day.
        zone: an IANA time zone.
    """

    days: tuple[str, ...] = ()
    start: str = "00:00"
    end: str = "24:00"
    zone: str = "UTC"


class Rollout(_Part, frozen=True, kw_only=True):
    """How far and how fast a plan may go in a live world. The plan carries it; channels never widen it.

    Attributes:
        most: the most targets of one plan.
        share: the most targets of one group (a namespace, an engine, an account) in percent of what lives there; one
            target is always allowed.
        canary: targets of the first wave; 0 for no canary.
        watch_seconds: how long the canary must stay well before the rest is done.
        wait_seconds: how long what a step changes may take to come up again, where that is waited for (a workload's pods).
        windows: when steps with a risk may be done; empty for always.
    """

    most: int = 50
    share: int = 100
    canary: int = 1
    watch_seconds: int = 10
    wait_seconds: int = 300
    windows: tuple[Window, ...] = ()


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
    rollout: Rollout = Rollout()
