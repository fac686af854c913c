"""What is asked of constraints, and what they answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, Protocol

import msgspec

from bulkhead.core.errors import ParseError
from bulkhead.engines.admission.review import GroupVersionKind, GroupVersionResource, Review, bindings

WEBHOOK: Final = "validation.gatekeeper.sh"
AUDIT: Final = "audit.gatekeeper.sh"
GATOR: Final = "gator.gatekeeper.sh"
VAP: Final = "vap.k8s.io"
POINTS: Final = (WEBHOOK, AUDIT, GATOR, VAP)
"""Where constraints are enforced; a constraint may do something else at each."""
Source = Literal["Original", "Generated"]
Object = Mapping[str, Any]


def metadata_of(thing: Object) -> Mapping[str, Any]:
    """The metadata of an object; empty where it has none, or something else in its place."""
    found = thing.get("metadata")
    return found if isinstance(found, Mapping) else {}


def name_of(thing: Object) -> str:
    return str(metadata_of(thing).get("name") or "")


class World(Protocol):
    """What constraints may ask of a cluster."""

    def namespace(self, name: str) -> Object | None:
        """The object of a namespace; None where it is not known.

        Raises:
            BulkheadError: it cannot be told.
        """
        ...

    def inventory(self) -> Object:
        """Replicated objects: ``cluster`` by version, kind and name, ``namespace`` by namespace, version, kind and name."""
        ...

    def external(self, provider: str, keys: list[Any]) -> Object:
        """What a provider of external data answers, as the built-in ``external_data`` gives it.

        Raises:
            BulkheadError: there is no such provider, or it does not answer.
        """
        ...


class Request(msgspec.Struct, frozen=True):
    """A request with its text as constraints see it.

    Attributes:
        review: the request; the object is None where something is deleted.
        document: the same as ``input.review`` has it.
        source: whether somebody asked for the object, or it was expanded from another.
    """

    review: Review
    document: Object
    source: Source = "Original"

    @property
    def objects(self) -> tuple[Object, ...]:
        """The object and the old one, as far as they are there."""
        return tuple(item for item in (self.document.get("object"), self.document.get("oldObject")) if item is not None)


def of_review(review: Review, source: Source = "Original") -> Request:
    """A request of the API server.

    Raises:
        ParseError: something is deleted and not told.
    """
    thing = review.object
    if review.operation == "DELETE":
        if review.old_object is None:
            raise ParseError("oldObject cannot be nil for DELETE operations")
        # Gatekeeper shows what is deleted as the object, too.
        thing = review.old_object
    if thing is None and review.old_object is None:
        raise ParseError("neither object nor old object are defined")
    document = {**bindings(review), "object": thing, "oldObject": review.old_object}
    return Request(review, document, source)


def of_object(thing: Object, source: Source = "Original") -> Request:
    """An object that nobody asks for, as an audit and gator look at it: a request without an operation.

    Raises:
        ParseError: it is no object of Kubernetes.
    """
    version, kind = thing.get("apiVersion"), thing.get("kind")
    if not isinstance(version, str) or not isinstance(kind, str) or not version or not kind:
        raise ParseError("an object has an apiVersion and a kind")
    group, _, number = version.rpartition("/")
    review = Review(
        kind=GroupVersionKind(group, number, kind), resource=GroupVersionResource(), name=name_of(thing),
        namespace=str(metadata_of(thing).get("namespace") or ""), operation="",  # type: ignore[arg-type]
        object=thing,
    )  # fmt: skip
    document = {
        "uid": "", "kind": {"group": group, "version": number, "kind": kind}, "resource": {"group": "", "version": "", "resource": ""},
        "name": review.name, "namespace": review.namespace, "operation": "", "userInfo": {}, "object": thing, "oldObject": None, "options": None,
    }  # fmt: skip
    return Request(review, document, source)


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong with a request.

    Attributes:
        kind, name: of the constraint.
        actions: what the constraint does about it at each point: point to ``deny``, ``warn``, ``dryrun``.
        error: it could not be told, rather than being so.
    """

    kind: str
    name: str
    message: str
    actions: Mapping[str, tuple[str, ...]]
    details: Any = None
    error: bool = False
