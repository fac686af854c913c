"""Controls over a Snapshot.

1. Every resource is taken once; the checks that its kind and its views ask for are found by token.
2. A check's needs come first: a missing field is an error, not a verdict.
3. ``when`` decides whether the check applies, the expression whether it passes. An expression that fails, or that
   touches an unknown value, is an error.
4. A pass that rests on kinds which a gap may hide is an error; a failure that was seen stays a failure.
5. Findings get their lines last, text by text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from bulkhead.catalogue.index import Catalogue
from bulkhead.core.control import Control
from bulkhead.core.finding import Finding, fingerprint
from bulkhead.core.outcome import Outcome
from bulkhead.core.resource import Ref, Resource, Snapshot
from bulkhead.posture import bindings, compiled
from bulkhead.posture.batch import Batch
from bulkhead.posture.bindings import Element
from bulkhead.posture.compiled import Runnable
from bulkhead.posture.findings import Findings, Verdict
from bulkhead.posture.judge import GAP
from bulkhead.posture.views.pods import WORKLOAD_KINDS
from bulkhead.posture.world import World, is_kubernetes

__all__ = ["GAP", "Assessment", "Request", "Verdict", "evaluate"]

_ROLES = frozenset({"Role", "ClusterRole"})
_BINDINGS = frozenset({"RoleBinding", "ClusterRoleBinding"})
_FILE_SOURCES = frozenset({"file", "image"})
_SILENT = frozenset({Outcome.SKIP, Outcome.PASS})


class Assessment(msgspec.Struct, frozen=True):
    """Findings (fail, warn, error, manual; passes only when kept) and counts of every outcome by control.

    ``verdicts`` are by fingerprint, empty when the request did not ask for them. ``repeated`` are fingerprints of findings
    that say what another one says (see ``overlays``). ``dropped`` answers worth telling came after the most that is kept.
    """

    findings: tuple[Finding, ...]
    tallies: Mapping[str, Mapping[Outcome, int]]
    verdicts: Mapping[str, Verdict] = msgspec.field(default_factory=dict)
    repeated: frozenset[str] = frozenset()
    dropped: int = 0


class Request(msgspec.Struct, frozen=True):
    """What to judge and how.

    Attributes:
        controls: the selected ones.
        parameters: control id to parameter overrides.
        keep_passes: report passes too.
        keep_verdicts: keep what a plan is made from; a scan that plans nothing saves the memory.
    """

    catalogue: Catalogue
    controls: Sequence[Control]
    tenant: str = "default"
    parameters: Mapping[str, Mapping[str, Any]] = msgspec.field(default_factory=dict)
    keep_passes: bool = False
    keep_verdicts: bool = True


def evaluate(snapshot: Snapshot, request: Request) -> Assessment:
    """Every selected control on every resource it applies to."""
    world = World(snapshot)
    by_token = _by_token(request)
    tallies: dict[str, dict[Outcome, int]] = {control.id: {} for control in request.controls}
    findings = Findings(request.tenant, keep_verdicts=request.keep_verdicts)
    silent = _SILENT - {Outcome.PASS} if request.keep_passes else _SILENT
    batches: dict[int, Batch] = {}
    for element, batch in _work(world, by_token):
        batches[id(batch)] = batch
        told = batch.judge(world, element, silent)
        if told:
            findings.add(element, told)
    for batch in batches.values():
        for runnable, outcome, count in batch.tally():
            counts = tallies[runnable.control.id]
            counts[outcome] = counts.get(outcome, 0) + count
    found = findings.done()
    manual = _manual(world, request, tallies)
    return Assessment((*found, *manual), tallies, findings.verdicts, dropped=findings.dropped)


def _by_token(request: Request) -> dict[str, _Waiting]:
    """Token to the checks that wait for it, compiled when first needed."""
    found: dict[str, list[tuple[Control, int]]] = {}
    for control in request.controls:
        if control.status != "active":
            continue
        for number, check in enumerate(control.checks):
            for token in check.applies_to or control.applies_to:
                found.setdefault(token, []).append((control, number))
    cache: dict[tuple[str, int], Runnable] = {}
    return {token: _Waiting(request, waiting, cache) for token, waiting in found.items()}


class _Waiting(msgspec.Struct):
    """The checks of one token, compiled on first use: most scans meet few of the kinds there are."""

    request: Request
    waiting: list[tuple[Control, int]]
    cache: dict[tuple[str, int], Runnable]

    def ready(self) -> list[Runnable]:
        out = []
        for control, number in self.waiting:
            key = (control.id, number)
            if key not in self.cache:
                parameters = self.request.parameters.get(control.id, {})
                programs = self.request.catalogue.programs
                self.cache[key] = compiled.compile_check(control, control.checks[number], programs, parameters)
            out.append(self.cache[key])
        return out


def _tokens(resource: Resource) -> tuple[str, ...]:
    ref = resource.ref
    tokens = [ref.kind, f"{ref.kind}:{ref.name}"]
    if ref.group:
        tokens.append(f"{ref.group}/{ref.kind}")
    if is_kubernetes(resource):
        tokens.append("kubernetes")
        if ref.kind in _ROLES:
            tokens.append("role")
        elif ref.kind in _BINDINGS:
            tokens.append("binding")
    elif ref.kind.startswith("AWS::"):
        tokens.append("cloudformation:*")
    elif resource.text is not None and resource.text.format == "hcl":
        tokens.append("terraform:*")
    return tuple(tokens)


def _work(world: World, by_token: dict[str, _Waiting]) -> Iterable[tuple[Element, Batch]]:
    """Elements with the checks that apply to them."""
    memo: dict[tuple[str, ...], dict[str, Batch]] = {}
    views = _Views(world, by_token)
    for resource in world.snapshot.resources:
        live = resource.ref.source not in _FILE_SOURCES
        tokens = _tokens(resource)
        groups = memo.get((*tokens, str(live)))
        if groups is None:
            groups = memo[(*tokens, str(live))] = _batches(tokens, by_token, live=live)
        for each, batch in groups.items():
            for element in _elements(world, resource, each):
                yield element, batch
        yield from views.work(resource, live=live)
    yield from _scopes(world, by_token)


def _batches(tokens: Sequence[str], by_token: dict[str, _Waiting], *, live: bool) -> dict[str, Batch]:
    return {each: Batch(runnables) for each, runnables in _by_each(tokens, by_token, live=live).items()}


def _by_each(tokens: Sequence[str], by_token: dict[str, _Waiting], *, live: bool) -> dict[str, list[Runnable]]:
    groups: dict[str, list[Runnable]] = {}
    for token in tokens:
        waiting = by_token.get(token)
        if waiting is None:
            continue
        for runnable in waiting.ready():
            if runnable.control.live and not live:
                continue
            each = runnable.check.each if runnable.check.each != token else ""
            if token in ("role", "binding"):
                each = "access"
            if runnable not in groups.setdefault(each, []):
                groups[each].append(runnable)
    return groups


def _elements(world: World, resource: Resource, each: str) -> list[Element]:
    if each == "":
        return [bindings.whole(world, resource)]
    if each == "access":
        return [bindings.access(world, resource)]
    if each == "pod":
        return [bindings.pod(world, view) for view in world.pods_of(resource)]
    if each == "container":
        return [bindings.container(world, item) for view in world.pods_of(resource) for item in view.containers]
    return bindings.items(world, resource, compiled.split(each))


class _Views:
    """The pods and containers of resources, with their checks."""

    def __init__(self, world: World, by_token: dict[str, _Waiting]) -> None:
        self._world = world
        self._by_token = by_token
        self._memo: dict[tuple[str, str, bool], Batch] = {}

    def work(self, resource: Resource, *, live: bool) -> Iterable[tuple[Element, Batch]]:
        world = self._world
        views = world.pods_of(resource)
        platform = world.unviewed(resource)
        if not views and resource.ref.kind in WORKLOAD_KINDS and is_kubernetes(resource):
            platform = "kubernetes"
        if platform:
            for kind in ("pod", "container"):
                yield bindings.unread(resource, "its pod spec"), self._checks(kind, platform, live=live)
        for view in views:
            yield bindings.pod(world, view), self._checks("pod", view.platform, live=live)
            batch = self._checks("container", view.platform, live=live)
            for item in view.containers:
                yield bindings.container(world, item), batch
            if not view.containers and view.platform in ("kubernetes", "ecs"):
                yield bindings.unread(resource, "its containers"), batch

    def _checks(self, kind: str, platform: str, *, live: bool) -> Batch:
        key = (kind, platform, live)
        batch = self._memo.get(key)
        if batch is None:
            groups = _by_each((kind, f"{kind}:{platform}"), self._by_token, live=live)
            merged = dict.fromkeys(runnable for group in groups.values() for runnable in group)
            batch = self._memo[key] = Batch(list(merged))
        return batch


def _scopes(world: World, by_token: dict[str, _Waiting]) -> Iterable[tuple[Element, Batch]]:
    """Namespaces and the snapshot as a whole, which may have no object of their own."""
    resources = world.snapshot.resources
    live = any(resource.ref.source not in _FILE_SOURCES for resource in resources)
    source = next((resource.ref.source for resource in resources if is_kubernetes(resource)), "file")
    groups = _by_each(("namespace",), by_token, live=live)
    if groups:
        batch = Batch([item for group in groups.values() for item in group])
        declared = {resource.ref.name: resource for resource in world.by_kind.get("Namespace", ())}
        for name in world.namespaces:
            absent = Resource(Ref(source=source, kind="Namespace", name=name), {"metadata": {"name": name}})
            yield bindings.namespace(world, declared.get(name, absent), name), batch
    groups = _by_each(("cluster",), by_token, live=live)
    if groups and any(is_kubernetes(resource) for resource in resources):
        whole = Resource(Ref(source=source, kind="Cluster", name="cluster"), {})
        yield bindings.cluster(world, whole), Batch([item for group in groups.values() for item in group])


def _manual(world: World, request: Request, tallies: dict[str, dict[Outcome, int]]) -> list[Finding]:
    """One reminder for each manual control that something here asks for."""
    present = {token for resource in world.snapshot.resources for token in _tokens(resource)}
    for resource in world.snapshot.resources:
        if world.pods_of(resource):
            present |= {"pod", "container"}
    if any(is_kubernetes(resource) for resource in world.snapshot.resources):
        present |= {"cluster", "namespace"}
    live = any(resource.ref.source not in _FILE_SOURCES for resource in world.snapshot.resources)
    out = []
    for control in request.controls:
        if (
            control.checks
            or control.status != "active"
            or (control.live and not live)
            or not present & set(control.applies_to)
        ):
            continue
        ref = Ref(source="file", kind="Manual", name=control.id)
        tallies[control.id][Outcome.MANUAL] = 1
        out.append(Finding(
            fingerprint=fingerprint(request.tenant, control.id, ref, ""), tenant=request.tenant, control=control.id,
            revision=control.revision, outcome=Outcome.MANUAL, severity=control.severity, title=control.title,
            message=control.instructions, resource=ref,
        ))  # fmt: skip
    return out
