"""Policies held against objects that nobody asks to create yet: manifests, or what an export holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from bulkhead.app.policies.model import Action, Bound, Document, Object, Policies, Said, shown_name
from bulkhead.core.errors import BulkheadError
from bulkhead.engines.admission.review import GroupVersionKind, GroupVersionResource, Review
from bulkhead.engines.admission.selectors import labels_of, selects
from bulkhead.engines.gatekeeper import Violation, judge
from bulkhead.engines.gatekeeper.expansion import expand
from bulkhead.engines.gatekeeper.model import WEBHOOK, metadata_of, name_of, of_object
from bulkhead.engines.gatekeeper.objects import Objects
from bulkhead.engines.vap import Answer, Attributes, decide

_ACTIONS: Final[Mapping[str, Action]] = {
    "deny": "deny",
    "warn": "warn",
    "dryrun": "audit",
    "Deny": "deny",
    "Warn": "warn",
    "Audit": "audit",
}
_RANK: Final = ("deny", "warn", "audit")


class _Manifests(Objects):
    """Manifests as a cluster: constraints ask them, and policies of the API server for parameters."""

    def __init__(self, things: Sequence[Object], parameters: Sequence[Object]) -> None:
        super().__init__(things)
        self._parameters = [*parameters, *things]

    def parameters(
        self, api_version: str, kind: str, *, namespace: str, name: str, selector: Object | None
    ) -> Sequence[Object]:
        return [
            item
            for item in self._parameters
            if (item.get("apiVersion"), item.get("kind")) == (api_version, kind)
            and metadata_of(item).get("namespace", namespace) == namespace
            and (name_of(item) == name if name else selects(selector, labels_of(item)))
        ]

    def authorize(self, attributes: Attributes) -> Answer:  # noqa: ARG002
        return Answer(allowed=False, error="nobody's rights are known for files")


def objects(documents: Iterable[Document]) -> list[Document]:
    """Those documents that are objects of Kubernetes: they say their version and kind."""
    return [
        item
        for item in documents
        if isinstance(item.value, Mapping)
        and isinstance(item.value.get("apiVersion"), str)
        and isinstance(item.value.get("kind"), str)
    ]


def apply(policies: Policies, things: Sequence[Document]) -> tuple[Said, ...]:
    """What the policies say of objects, worst first."""
    world = _Manifests([item.value for item in things], policies.parameters)
    found = [said for item in things for said in _of(policies, item, world)]
    return tuple(
        sorted(found, key=lambda said: (_RANK.index(said.action), said.file, said.object, said.policy, said.message))
    )


def _of(policies: Policies, document: Document, world: _Manifests) -> Iterator[Said]:
    thing = document.value
    name = shown_name(thing)
    try:
        request = of_object(thing)
        implied = expand(policies.expanders, thing, world, policies.mutators)
    except BulkheadError as error:
        if policies.constraints or policies.bound:
            yield Said("*", "any", document.file, name, "deny", str(error), error=True)
        return
    for constraint in policies.constraints:
        for violation in judge(constraint, request, world):
            yield from _constraint(violation, document.file, name, violation.message)
        for made in implied:
            for violation in judge(constraint, of_object(made.object, "Generated"), world):
                yield from _constraint(
                    violation, document.file, name, f"{made.prefix} {violation.message}", made.action
                )
    for bound in policies.bound:
        yield from _bound(bound, document.file, name, _review(thing), world)


def _constraint(violation: Violation, file: str, name: str, message: str, action: str = "") -> Iterator[Said]:
    for one in (action,) if action else violation.actions.get(WEBHOOK, ()):
        yield Said(
            f"{violation.kind}/{violation.name}",
            "gatekeeper",
            file,
            name,
            _ACTIONS[one],
            message,
            error=violation.error,
        )


def _bound(bound: Bound, file: str, name: str, review: Review, world: _Manifests) -> Iterator[Said]:
    for decision in decide(bound.policy, bound.binding, review, world).decisions:
        for one in decision.actions:
            yield Said(
                f"{decision.policy}/{decision.binding}",
                "vap",
                file,
                name,
                _ACTIONS[one],
                decision.message,
                error=decision.error,
            )


def _review(thing: Object) -> Review:
    """The request that would create the object; its resource is its kind's usual plural."""
    group, _, version = str(thing.get("apiVersion", "")).rpartition("/")
    kind = str(thing.get("kind", ""))
    metadata = metadata_of(thing)
    return Review(
        kind=GroupVersionKind(group, version, kind), resource=GroupVersionResource(group, version, _plural(kind)),
        name=str(metadata.get("name") or ""), namespace=str(metadata.get("namespace") or ""), operation="CREATE", object=thing,
    )  # fmt: skip


def _plural(kind: str) -> str:
    """As the API machinery guesses it (meta, UnsafeGuessKindToResource)."""
    lower = kind.lower()
    if lower == "endpoints":
        return lower
    if lower.endswith("s"):
        return f"{lower}es"
    return f"{lower[:-1]}ies" if lower.endswith("y") else f"{lower}s"
