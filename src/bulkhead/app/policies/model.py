"""Policies as they were loaded, what they say, and files as they are given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec

from bulkhead.core.resource import Gap
from bulkhead.engines.gatekeeper import Constraint
from bulkhead.engines.gatekeeper.expansion import Expander
from bulkhead.engines.gatekeeper.model import metadata_of
from bulkhead.engines.gatekeeper.mutation import Mutator
from bulkhead.engines.vap import Policy

Object = Mapping[str, Any]
Action = Literal["deny", "warn", "audit"]


class Document(msgspec.Struct, frozen=True):
    """One object of a file."""

    file: str
    value: Any


class Module(msgspec.Struct, frozen=True):
    """One file of Rego."""

    file: str
    text: str


class PolicyFiles(msgspec.Struct, frozen=True):
    """What a folder or a file holds, and what of it could not be read."""

    documents: tuple[Document, ...] = ()
    modules: tuple[Module, ...] = ()
    gaps: tuple[Gap, ...] = ()


class Files(Protocol):
    """Where policies and objects are read from."""

    def read(self, path: str) -> PolicyFiles:
        """A file, or all below a folder.

        Raises:
            SourceError: there is no such thing.
        """
        ...


class Refused(msgspec.Struct, frozen=True):
    """A policy that was not taken, and why."""

    file: str
    name: str
    reason: str


class Bound(msgspec.Struct, frozen=True):
    """A ValidatingAdmissionPolicy through one of its bindings."""

    policy: Policy
    binding: Object


class Policies(msgspec.Struct, frozen=True):
    """What was loaded."""

    constraints: tuple[Constraint, ...] = ()
    bound: tuple[Bound, ...] = ()
    mutators: tuple[Mutator, ...] = ()
    expanders: tuple[Expander, ...] = ()
    parameters: tuple[Object, ...] = ()
    refused: tuple[Refused, ...] = ()
    notes: tuple[str, ...] = ()


class Said(msgspec.Struct, frozen=True):
    """What one policy says of one object.

    Attributes:
        error: it could not be told, rather than being so.
    """

    policy: str
    dialect: str
    file: str
    object: str
    action: Action
    message: str
    error: bool = False


def shown_name(thing: Any) -> str:
    """``Kind/namespace/name`` of an object."""
    if not isinstance(thing, Mapping):
        return "?"
    metadata = metadata_of(thing)
    parts: Sequence[str] = [
        str(thing.get("kind", "?")),
        str(metadata.get("namespace") or ""),
        str(metadata.get("name") or "?"),
    ]
    return "/".join(part for part in parts if part)
