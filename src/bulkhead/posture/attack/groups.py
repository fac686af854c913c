"""All pods, or all accounts, of a namespace or of the cluster, as one vertex where they are many.

Without it a hundred accounts that may exec into any of 25,000 pods would be 2.5 million edges.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from bulkhead.posture.attack.model import Edge, Vertex

_MANY = 16


class Groups:
    """The members by kind (``pods``, ``accounts``) and namespace; the empty namespace holds all of them."""

    def __init__(self, pods: Mapping[str, Iterable[Vertex]], accounts: Mapping[str, Iterable[Vertex]]) -> None:
        self._members = {"pods": pods, "accounts": accounts}
        self._asked: dict[Vertex, tuple[Vertex, ...]] = {}

    def targets(self, kind: str, namespace: str) -> tuple[Vertex, ...]:
        """The members themselves while they are few, else the one vertex that leads to each."""
        members = tuple(self._members[kind].get(namespace, ()))
        if len(members) <= _MANY:
            return members
        group = Vertex(kind, namespace or "any namespace")
        self._asked[group] = members
        return (group,)

    def edges(self) -> Iterator[Edge]:
        """From each vertex that was handed out to its members."""
        for group, members in self._asked.items():
            for member in members:
                yield Edge(group, member, "MEMBER", f"one of the {len(members)} {group.kind} in {group.name}")
