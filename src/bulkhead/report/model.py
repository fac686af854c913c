"""What a report is made from. Formats own their wire forms; this is not one of them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from bulkhead.core.control import Control
from bulkhead.core.finding import Finding
from bulkhead.core.resource import Gap


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class FileChange(_Part, frozen=True, kw_only=True):
    """A stretch of a file and the text that takes its place.

    Lines and columns count from 1 and the end column is one past the last character, as SARIF 3.30 has it; byte
    offsets count from 0. An empty stretch is an insertion, an empty text a deletion.
    """

    path: str
    start_line: int
    start_column: int
    end_line: int
    end_column: int
    start_byte: int
    end_byte: int
    inserted_text: str


class Fix(_Part, frozen=True, kw_only=True):
    """A repair as a person reads it (``diff``, unified) and as a program applies it (``changes``)."""

    description: str
    diff: str = ""
    changes: tuple[FileChange, ...] = ()


class TrendPoint(_Part, frozen=True, kw_only=True):
    """One earlier run: its ISO date, its score, and how many findings of each severity were open."""

    date: str
    score: float
    open: Mapping[str, int] = {}


class Report(_Part, frozen=True, kw_only=True):
    """One run, ready to be told.

    Attributes:
        started: ISO 8601 instant with offset; ``finished`` likewise.
        findings: in the order in which they are told (``order.worst_first``).
        profile: the name of the selection of controls that ran.
        tallies: control id to outcome to count, with an entry for every control that ran, even one that met no
            resource: a control without an entry did not run, and what it found before is not taken as fixed.
        resources: how many resources were judged.
        controls: the controls that occur in findings and tallies, by id.
        fixes: fingerprint to repairs.
        trend: earlier runs, oldest first.
    """

    tool_version: str
    tenant: str
    root: str
    started: str
    finished: str
    profile: str
    findings: tuple[Finding, ...] = ()
    gaps: tuple[Gap, ...] = ()
    notes: tuple[str, ...] = ()
    tallies: Mapping[str, Mapping[str, int]] = {}
    resources: int = 0
    controls: Mapping[str, Control] = {}
    fixes: Mapping[str, tuple[Fix, ...]] = {}
    trend: tuple[TrendPoint, ...] = ()
    score: float = 0.0
