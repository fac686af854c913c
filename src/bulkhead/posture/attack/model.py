"""Vertices, edges, paths."""

from __future__ import annotations

from typing import NamedTuple

import msgspec


class Vertex(NamedTuple):
    """kind: internet, pod, account, node, admin. name: ``namespace/kind/name`` for pods, ``namespace/name`` for accounts."""

    kind: str
    name: str = ""


INTERNET = Vertex("internet")
NODE = Vertex("node", "any")
ADMIN = Vertex("admin", "cluster")


class Fix(NamedTuple):
    """One repair: the control that asks for it (by catalogue slug) and the resource it is made on."""

    control: str
    resource: str


class Edge(NamedTuple):
    """A step an attacker can take.

    Attributes:
        technique: the edge's name, after KubeHound where it has one.
        because: what in the manifests makes it possible.
        fixes: each of these alone takes the edge away; none when it is there by intention.
    """

    source: Vertex
    target: Vertex
    technique: str
    because: str
    fixes: tuple[Fix, ...] = ()


class Analysis(msgspec.Struct, frozen=True):
    """The shortest path from each entry to each goal, the fixes that cut all that can be cut, and the rest.

    ``exact`` says that no smaller set of fixes exists; otherwise the search met its bound.
    """

    paths: tuple[tuple[Edge, ...], ...]
    cut: tuple[Fix, ...]
    uncut: tuple[tuple[Edge, ...], ...]
    exact: bool
