"""A thing in the world, the text it was read from, and what could not be read."""

from __future__ import annotations

from typing import Any

import msgspec

PathPart = str | int
"""One step into a document: a mapping's key or a sequence's index."""

DocumentPath = tuple[PathPart, ...]


class _Unknown:
    """A value that exists but is not known here (a Terraform reference, a template, a parameter without default).

    It is neither equal to anything nor true nor false: code that touches it by mistake fails loudly, and the
    expression engines turn it into an error outcome.
    """

    __slots__ = ()

    def __bool__(self) -> bool:
        raise TypeError("an unknown value has no truth")

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = _Unknown()


class Ref(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which resource: stable between runs, so that a finding keeps its fingerprint.

    Attributes:
        source: the kind of world it was read from: ``file``, ``image``, ``docker``, ``kubernetes``, ``aws`` …
        kind: the field's own kind: ``Deployment``, ``Dockerfile``, ``Compose``, ``aws_ecr_repository``,
            ``AWS::ECS::TaskDefinition``, ``DaemonConfig``, ``Image`` …
        group: the Kubernetes API group, empty for core and for everything that is not Kubernetes.
        namespace: empty when the world has none or the file names none.
        name: empty when it has none.
        origin: where in that world: a path relative to the scanned root, an engine, a cluster context.
        uid: tells apart resources that agree in all of the above (an image digest, ``#2`` for a second document).
    """

    source: str
    kind: str
    group: str = ""
    namespace: str = ""
    name: str = ""
    origin: str = ""
    uid: str = ""


class Text(msgspec.Struct, frozen=True, eq=False):
    """The bytes of one file as they were read; shared by the resources found in it.

    ``format`` is one of ``yaml``, ``json``, ``dockerfile``, ``hcl``. ``path`` is relative to the scanned root, with
    forward slashes. ``generated`` names the program that made the text (``helm``, ``kustomize``): such text has no
    file to repair. ``outlines`` is what reading leaves for finding places again; only the format knows its form.
    """

    path: str
    format: str
    data: bytes
    generated: str = ""
    outlines: tuple[Any, ...] = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Text) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def _identity(self) -> tuple[str, str, bytes, str]:
        return self.path, self.format, self.data, self.generated


class Resource(msgspec.Struct, frozen=True):
    """A reference, its data, and where in which text the data stands.

    Attributes:
        ref: which resource.
        data: JSON-shaped: dict, list, str, int, float, bool, None and ``UNKNOWN``.
        text: the text it was read from, when it was read from one.
        document: which document of a multi-document text, or which block of an HCL file, from 0.
        path: where the data stands inside that document (``items[3]`` of a List, ``Resources.Db`` of a template).
    """

    ref: Ref
    data: Any
    text: Text | None = None
    document: int = 0
    path: DocumentPath = ()


class Gap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that could not be read: unknown, not absent.

    Attributes:
        where: the file, object, address or kind.
        code: the stable code of the error behind it (``B220``) or a short word (``helm-missing``).
        reason: one sentence for a person.
        hint: what would close the gap.
        hides: the resource kinds that may stand behind it; ``*`` when it can be any.
        line: from 1; 0 when unknown.
    """

    where: str
    code: str
    reason: str
    hint: str = ""
    hides: tuple[str, ...] = ("*",)
    line: int = 0


class Snapshot(msgspec.Struct, frozen=True):
    """What a source could read at one instant, and what it could not."""

    resources: tuple[Resource, ...] = ()
    gaps: tuple[Gap, ...] = ()
    notes: tuple[str, ...] = ()

    def merged(self, other: Snapshot) -> Snapshot:
        return Snapshot(self.resources + other.resources, self.gaps + other.gaps, self.notes + other.notes)
