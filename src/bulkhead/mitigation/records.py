"""What of a live resource a channel acts on: its record, and how a difference of two records is made true.

A record holds what somebody decided, in the places where the resource's data has it, and nothing that the world counts or
measures by itself. Records are compared as canonical JSON: what is there is what was planned from, or it is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from bulkhead.core.control import MitigationClass
from bulkhead.core.plan import Channel, Risk
from bulkhead.core.resource import DocumentPath
from bulkhead.formats.changes import same
from bulkhead.mitigation.operations import DoesNotApply


class Method(msgspec.Struct, frozen=True):
    """How a channel makes the change, what it needs for that, what it risks, and how it is taken back.

    ``asks`` is the least consent that it takes, whatever the class of the repair: what is harmless in a file may stop a
    running world.
    """

    name: str
    needs: tuple[str, ...]
    undo: str
    risk: Risk = "none"
    asks: MitigationClass = MitigationClass.AUTO


def as_changed(_: Mapping[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    return after


class Kind(msgspec.Struct, frozen=True):
    """One kind of live resource: who changes it, what its record is, and which method fits a change.

    ``imagine`` takes the data before and after the edits and says what the world would then tell besides: a daemon that reads
    a setting reports it in other places too. The proof is always a fresh reading.
    """

    channel: Channel
    record: Callable[[Mapping[str, Any]], dict[str, Any]]
    method: Callable[[Mapping[str, Any], frozenset[DocumentPath]], Method]
    imagine: Callable[[Mapping[str, Any], dict[str, Any]], dict[str, Any]] = as_changed


def differences(before: Any, after: Any, path: DocumentPath = ()) -> Iterator[DocumentPath]:
    """The paths at which two values differ: as deep as both are mappings, the list as a whole where they are lists."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in (*before, *(key for key in after if key not in before)):
            if key not in before or key not in after:
                yield (*path, key)
            else:
                yield from differences(before[key], after[key], (*path, key))
    elif not same(before, after):
        yield path


def pick(data: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: data[name] for name in names if name in data}


def without(data: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name not in names}


def refuse_outside(changed: frozenset[DocumentPath], allowed: Callable[[DocumentPath], bool], what: str) -> None:
    """Raises DoesNotApply where a change is none of the allowed."""
    for path in sorted(changed, key=str):
        if not allowed(path):
            raise DoesNotApply(f"{what} cannot change {'.'.join(map(str, path))}")
