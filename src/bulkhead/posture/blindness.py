"""Take away each input of a control in turn; no verdict may turn to pass, and a pass must not survive.

For every example and every need: a needed field is removed from every element, or the needed kind becomes unreadable.
A control that still says pass did not need what it says it needs, or does not notice that it is gone; either way it
would report good news about something nobody saw.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from bulkhead.catalogue.index import Catalogue
from bulkhead.core.control import Control, Examples
from bulkhead.core.outcome import Outcome, join
from bulkhead.core.resource import UNKNOWN, DocumentPath, Gap, Resource, Snapshot
from bulkhead.posture import bindings, compiled, examples
from bulkhead.posture.evaluate import Request, evaluate
from bulkhead.posture.world import World


class Removal(msgspec.Struct, frozen=True):
    """One trial: the outcome over all elements before and after an input was taken away."""

    control: str
    example: str
    need: str
    before: Outcome
    after: Outcome

    @property
    def blind(self) -> bool:
        """A pass without the input, whatever the verdict was with it."""
        return self.after is Outcome.PASS


def trials(catalogue: Catalogue, control: Control) -> Iterator[Removal]:
    """Every example of the control without each of its needs."""
    written = catalogue.examples.get(control.id, Examples())
    for group, found in (("pass", written.passing), ("fail", written.fail)):
        for number, example in enumerate(found):
            whole = examples.snapshot(example, control)
            before = outcome(catalogue, control, whole)
            for need, blinded in _blinded(control, whole):
                yield Removal(control.id, f"{group}[{number}]", need, before, outcome(catalogue, control, blinded))


def outcome(catalogue: Catalogue, control: Control, snapshot: Snapshot) -> Outcome:
    """The worst outcome over everything the control judged; skip when it judged nothing."""
    assessment = evaluate(snapshot, Request(catalogue, [control], keep_passes=True))
    return join(*(finding.outcome for finding in assessment.findings))


def _blinded(control: Control, whole: Snapshot) -> Iterator[tuple[str, Snapshot]]:
    for field in control.needs.fields:
        for unknown in (False, True):
            blinded = _without(control, whole, field, unknown=unknown)
            if blinded is not None:
                yield f"{field} (unknown)" if unknown else field, blinded
    if any(token.partition(":")[0] in ("pod", "container") for token in control.applies_to):
        yield "the whole resource", Snapshot(tuple(_emptied(resource) for resource in whole.resources), whole.gaps)
    for kind in control.needs.kinds:
        gap = Gap(where="blinded", code="blinded", reason="taken away", hides=(kind,))
        kept = tuple(
            resource for resource in whole.resources if resource.ref.kind != kind or _judged(control, resource)
        )
        yield kind, Snapshot(kept, (*whole.gaps, gap))


def _judged(control: Control, resource: Resource) -> bool:
    return resource.ref.kind in control.applies_to


def _emptied(resource: Resource) -> Resource:
    """Only what names the resource is left."""
    kept = (
        {key: value for key, value in resource.data.items() if key in ("apiVersion", "kind", "metadata", "Type")}
        if isinstance(resource.data, dict)
        else {}
    )
    return Resource(resource.ref, kept, None, resource.document, resource.path)


def _without(control: Control, whole: Snapshot, field: str, *, unknown: bool = False) -> Snapshot | None:
    """The snapshot without the field; None when this platform has no such field to take away."""
    taken = False
    resources = []
    if field.endswith("?") and not unknown:
        return None
    for resource in whole.resources:
        data = resource.data
        own = compiled.needed([field], [resource.ref.kind])
        if own == ["object"]:
            resources.append(Resource(resource.ref, UNKNOWN, None, resource.document, resource.path))
            taken = True
            continue
        path = compiled.split(own[0].removesuffix("?").removeprefix("object.")) if own else ()
        for at in _places(control, resource, path, whole_object=bool(own) and _at_top(own[0])):
            edited = _edited(data, at, unknown=unknown)
            taken = taken or edited != data
            data = edited
        resources.append(Resource(resource.ref, data, None, resource.document, resource.path))
    return Snapshot(tuple(resources), whole.gaps) if taken else None


def _at_top(field: str) -> bool:
    return field.startswith("object.") or field.endswith("?")


def _places(control: Control, resource: Resource, path: DocumentPath, *, whole_object: bool) -> list[DocumentPath]:
    """Where the needed field stands in the resource's own data, for every element that is judged."""
    if whole_object or not path:
        return [path] if path else []
    world = World(Snapshot((resource,)))
    elements: list[bindings.Element] = []
    each = {check.each for check in control.checks} | {token.partition(":")[0] for token in control.applies_to}
    for view in world.pods_of(resource):
        if "pod" in each:
            elements.append(bindings.pod(world, view))
        if "container" in each:
            elements.extend(bindings.container(world, item) for item in view.containers)
    for name in sorted(each - {"", "pod", "container"}):
        elements.extend(bindings.items(world, resource, compiled.split(name)))
    if not elements or "" in each:
        elements.append(bindings.whole(world, resource))
    found = (element.lens.target(path) for element in elements)
    return [at for at in found if at]


def _edited(value: Any, path: DocumentPath, *, unknown: bool) -> Any:
    """A copy without, or with an unknown, value at the path; the value itself where the path leads nowhere."""
    head, rest = path[0], path[1:]
    if isinstance(value, dict) and head in value:
        copy = dict(value)
        if rest:
            copy[head] = _edited(copy[head], rest, unknown=unknown)
        elif unknown:
            copy[head] = UNKNOWN
        else:
            del copy[head]
        return copy
    if isinstance(value, list) and isinstance(head, int) and head < len(value):
        items = list(value)
        items[head] = _edited(items[head], rest, unknown=unknown) if rest else UNKNOWN
        return items
    return value
