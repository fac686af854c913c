"""What a policy may ask of the cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec


class Attributes(msgspec.Struct, frozen=True):
    """What somebody wants to do: to a resource, or to a path that is none.

    Attributes:
        user: name, and groups, of who it is.
        service_account: whether it is one, asked about by name.
    """

    user: str = ""
    groups: tuple[str, ...] = ()
    verb: str = ""
    group: str = ""
    version: str = "*"
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""
    field_selector: str = ""
    label_selector: str = ""


class Answer(msgspec.Struct, frozen=True):
    """Whether it is allowed, in whose words, and what went wrong while that was found out."""

    allowed: bool
    reason: str = ""
    error: str = ""


class World(Protocol):
    """A cluster."""

    def namespace(self, name: str) -> Mapping[str, Any] | None:
        """The object of a namespace; None where there is none.

        Raises:
            BulkheadError: it cannot be told.
        """
        ...

    def parameters(
        self, api_version: str, kind: str, *, namespace: str, name: str, selector: Mapping[str, Any] | None
    ) -> Sequence[Mapping[str, Any]]:
        """The parameters of a kind with a name, or those that a selector picks.

        Raises:
            BulkheadError: they cannot be told.
        """
        ...

    def authorize(self, attributes: Attributes) -> Answer:
        """Whether somebody may do something."""
        ...
