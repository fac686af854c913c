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
from dataclasses import dataclass, field
from typing import Any

from bulkhead.catalogue.index import Catalogue
from bulkhead.core.control import Control
from bulkhead.core.finding import Finding, Where, dotted, fingerprint
from bulkhead.core.outcome import Outcome
from bulkhead.core.resource import UNKNOWN, DocumentPath, Ref, Resource, Snapshot, Text
from bulkhead.engines.cel.errors import CelError
from bulkhead.formats import texts
from bulkhead.posture import bindings, compiled
from bulkhead.posture.bindings import Element
from bulkhead.posture.compiled import Runnable
from bulkhead.posture.views.pods import WORKLOAD_KINDS
from bulkhead.posture.world import World, is_kubernetes

_ROLES = frozenset({"Role", "ClusterRole"})
_BINDINGS = frozenset({"RoleBinding", "ClusterRoleBinding"})
_FILE_SOURCES = frozenset({"file", "image"})


GAP = "gap: "
"""How the evidence of an error begins that rests on what could not be read elsewhere."""


@dataclass(slots=True, eq=False)
class Verdict:
    """A raw judgement, kept with its element so that a plan can be made from it."""

    runnable: Runnable
    element: Element
    outcome: Outcome
    message: str
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Assessment:
    """Findings (fail, warn, error, manual; passes only when kept) and counts of every outcome by control."""

    findings: tuple[Finding, ...]
    tallies: Mapping[str, Mapping[Outcome, int]]
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    """What to judge and how.

    Attributes:
        controls: the selected ones.
        parameters: control id to parameter overrides.
        keep_passes: report passes too.
    """

    catalogue: Catalogue
    controls: Sequence[Control]
    tenant: str = "default"
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    keep_passes: bool = False


def evaluate(snapshot: Snapshot, request: Request) -> Assessment:
    """Every selected control on every resource it applies to."""
    world = World(snapshot)
    by_token = _by_token(request)
    verdicts: list[Verdict] = []
    tallies: dict[str, dict[Outcome, int]] = {control.id: {} for control in request.controls}
    for element, runnables in _work(world, by_token):
        for runnable in runnables:
            verdict = judge(world, runnable, element)
            counts = tallies[runnable.control.id]
            counts[verdict.outcome] = counts.get(verdict.outcome, 0) + 1
            if verdict.outcome is Outcome.SKIP or (verdict.outcome is Outcome.PASS and not request.keep_passes):
                continue
            verdicts.append(verdict)
    findings = _findings(verdicts, request.tenant)
    manual = _manual(world, request, tallies)
    kept = {finding.fingerprint: verdict for finding, verdict in zip(findings, verdicts, strict=True)}
    return Assessment((*findings, *manual), tallies, kept)


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


@dataclass(slots=True)
class _Waiting:
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


def _work(world: World, by_token: dict[str, _Waiting]) -> Iterable[tuple[Element, list[Runnable]]]:
    """Elements with the checks that apply to them."""
    memo: dict[tuple[str, ...], dict[str, list[Runnable]]] = {}
    for resource in world.snapshot.resources:
        live = resource.ref.source not in _FILE_SOURCES
        tokens = _tokens(resource)
        groups = memo.get((*tokens, str(live)))
        if groups is None:
            groups = memo[(*tokens, str(live))] = _by_each(tokens, by_token, live=live)
        for each, runnables in groups.items():
            for element in _elements(world, resource, each):
                yield element, runnables
        yield from _view_work(world, resource, by_token, memo, live=live)
    yield from _scopes(world, by_token)


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


def _view_work(
    world: World, resource: Resource, by_token: dict[str, _Waiting], memo: dict[Any, Any], *, live: bool
) -> Iterable[tuple[Element, list[Runnable]]]:
    views = world.pods_of(resource)
    if not views and resource.ref.kind in WORKLOAD_KINDS and is_kubernetes(resource):
        for kind in ("pod", "container"):
            yield bindings.unread(resource, "its pod spec"), _view_checks(kind, "kubernetes", by_token, memo, live=live)
    for view in views:
        for kind in ("pod", "container"):
            runnables = _view_checks(kind, view.platform, by_token, memo, live=live)
            if not runnables:
                continue
            if kind == "pod":
                yield bindings.pod(world, view), runnables
            else:
                for item in view.containers:
                    yield bindings.container(world, item), runnables
                if not view.containers and view.platform in ("kubernetes", "ecs"):
                    yield bindings.unread(resource, "its containers"), runnables


def _view_checks(
    kind: str, platform: str, by_token: dict[str, _Waiting], memo: dict[Any, Any], *, live: bool
) -> list[Runnable]:
    key = (kind, platform, live)
    if key not in memo:
        groups = _by_each((kind, f"{kind}:{platform}"), by_token, live=live)
        memo[key] = list(dict.fromkeys(runnable for group in groups.values() for runnable in group))
    found: list[Runnable] = memo[key]
    return found


def _scopes(world: World, by_token: dict[str, _Waiting]) -> Iterable[tuple[Element, list[Runnable]]]:
    """Namespaces and the snapshot as a whole, which may have no object of their own."""
    resources = world.snapshot.resources
    live = any(resource.ref.source not in _FILE_SOURCES for resource in resources)
    source = next((resource.ref.source for resource in resources if is_kubernetes(resource)), "file")
    groups = _by_each(("namespace",), by_token, live=live)
    if groups:
        declared = {resource.ref.name: resource for resource in world.by_kind.get("Namespace", ())}
        for name in world.namespaces:
            absent = Resource(Ref(source=source, kind="Namespace", name=name), {"metadata": {"name": name}})
            yield (
                bindings.namespace(world, declared.get(name, absent), name),
                [item for group in groups.values() for item in group],
            )
    groups = _by_each(("cluster",), by_token, live=live)
    if groups and any(is_kubernetes(resource) for resource in resources):
        whole = Resource(Ref(source=source, kind="Cluster", name="cluster"), {})
        yield bindings.cluster(world, whole), [item for group in groups.values() for item in group]


def judge(world: World, runnable: Runnable, element: Element) -> Verdict:
    """One check on one element."""
    if element.unread:
        return Verdict(runnable, element, Outcome.ERROR, f"{element.unread} could not be read")
    lens = element.lens
    if (
        runnable.points_at
        and lens.target(_below(runnable.points_at)) is None
        and _lens_of(element, runnable.points_at) is None
    ):
        return Verdict(runnable, element, Outcome.SKIP, "not a setting of this platform")
    missing = _missing(runnable, element)
    if missing:
        return Verdict(runnable, element, Outcome.ERROR, f"{missing} could not be read")
    try:
        bound = element.bindings(runnable.used)
        bound["params"] = runnable.params
        if runnable.when is not None and runnable.when.evaluate(bound) is not True:
            return Verdict(runnable, element, Outcome.SKIP, "not applicable")
        answer = runnable.program.evaluate(bound)
    except CelError as exc:
        return Verdict(runnable, element, Outcome.ERROR, f"could not be judged: {exc}")
    if answer is True:
        for kind in runnable.control.needs.kinds:
            where = world.hides(kind)
            if where:
                told = f"{kind} may stand in {where}, which could not be read"
                return Verdict(runnable, element, Outcome.ERROR, told, GAP + where)
        return Verdict(runnable, element, Outcome.PASS, "")
    if answer is not False:
        return Verdict(runnable, element, Outcome.ERROR, "the check gave no yes or no")
    message = compiled.render(runnable.message, bound)
    return Verdict(runnable, element, Outcome(runnable.check.outcome), message, _evidence(runnable, bound))


def _below(path: DocumentPath) -> DocumentPath:
    return path[1:] if path and path[0] in ("pod", "object") else path


def _lens_of(element: Element, path: DocumentPath) -> DocumentPath | None:
    """Where a path of the view stands in the resource; paths below ``pod`` and ``object`` have their own root."""
    if path[:1] == ("object",):
        return path[1:]
    if path[:1] == ("pod",) and element.pod_lens is not None:
        return element.pod_lens.target(path[1:])
    return element.lens.target(path)


def _missing(runnable: Runnable, element: Element) -> str:
    for root, fields in ((element.subject, runnable.fields), (element.resource.data, runnable.object_fields)):
        for path in fields:
            value = root
            for part in path:
                if isinstance(value, dict) and part in value:
                    value = value[part]
                elif isinstance(value, list) and isinstance(part, int) and part < len(value):
                    value = value[part]
                else:
                    return dotted(path)
            if value is UNKNOWN or value is None:
                return dotted(path) or "the resource"
    return next((dotted(path) for path in runnable.known if _unknown(element.resource.data, path)), "")


def _unknown(value: Any, path: DocumentPath) -> bool:
    """Whether there is something at the path, or above it, that is not known; what is absent is known to be absent."""
    for part in path:
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int):
            value = value[part] if part < len(value) else None
        else:
            break
    return value is UNKNOWN


def _evidence(runnable: Runnable, bound: dict[str, Any]) -> str:
    if runnable.evidence is None:
        return ""
    try:
        return str(runnable.evidence.evaluate(bound))[:500]
    except CelError as exc:
        return f"not shown: {exc}"


def _findings(verdicts: Sequence[Verdict], tenant: str) -> list[Finding]:
    wanted: dict[int, tuple[Text, list[tuple[int, DocumentPath]], list[int]]] = {}
    paths: list[DocumentPath] = []
    for number, verdict in enumerate(verdicts):
        resource = verdict.element.resource
        path = _lens_of(verdict.element, verdict.runnable.points_at) or ()
        paths.append(resource.path + path)
        if resource.text is not None:
            entry = wanted.setdefault(id(resource.text), (resource.text, [], []))
            entry[1].append((resource.document, resource.path + path))
            entry[2].append(number)
    places: dict[int, Where] = {}
    for text, asked, numbers in wanted.values():
        for number, span in zip(numbers, texts.locate(text, asked), strict=True):
            where = Where(file=text.path, path=dotted(paths[number]))
            if span is not None:
                where = Where(
                    file=text.path, line=span.line, column=span.column, end_line=span.end_line, path=where.path
                )
            places[number] = where
    out = []
    for number, verdict in enumerate(verdicts):
        control, ref = verdict.runnable.control, verdict.element.resource.ref
        element = verdict.element.name
        out.append(Finding(
            fingerprint=fingerprint(tenant, control.id, ref, element), tenant=tenant, control=control.id,
            revision=control.revision, outcome=verdict.outcome, severity=control.severity, title=control.title,
            message=verdict.message, resource=ref, element=element,
            where=places.get(number) or Where(file=ref.origin, path=dotted(paths[number])), evidence=verdict.evidence,
        ))  # fmt: skip
    return out


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
