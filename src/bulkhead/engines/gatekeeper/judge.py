"""A request judged by a constraint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from bulkhead.core.errors import BulkheadError
from bulkhead.engines.gatekeeper import rego_source
from bulkhead.engines.gatekeeper.constraint import Constraint
from bulkhead.engines.gatekeeper.matching import matches
from bulkhead.engines.gatekeeper.model import Object, Request, Violation, World
from bulkhead.engines.gatekeeper.template import CEL, Template
from bulkhead.engines.rego.builtins import Context
from bulkhead.engines.rego.errors import RegoError
from bulkhead.engines.rego.program import Budget
from bulkhead.engines.rego.wire import plain
from bulkhead.engines.vap import Answer, Attributes
from bulkhead.engines.vap import decide as by_cel

NO_BUDGET: Final = Budget()
_BINDING: Final = {"spec": {"paramRef": {"name": "constraint"}, "validationActions": ["Deny"]}}


def judge(
    constraint: Constraint, request: Request, world: World, *, engine: str = "", budget: Budget = NO_BUDGET
) -> tuple[Violation, ...]:
    """What is wrong with a request; nothing where the constraint is not about it.

    Args:
        constraint: who is asked.
        request: what is asked about.
        world: what it may ask of the cluster.
        engine: the template's; empty for the one that Gatekeeper would take.
        budget: of an evaluation in Rego.
    """
    try:
        namespace = world.namespace(request.review.namespace) if request.review.namespace else None
        if not _about(constraint, request, namespace):
            return ()
        if (engine or constraint.template.engine) == CEL:
            return _by_cel(constraint, request, namespace)
        return _by_rego(constraint, request, world, namespace, budget)
    except (BulkheadError, RegoError) as error:
        # What cannot be told is no reason to let something pass.
        return (_wrong(constraint, f"it cannot be evaluated: {error}", error=True),)


def _about(constraint: Constraint, request: Request, namespace: Object | None) -> bool:
    operations, asked = constraint.template.operations, request.document.get("operation")
    if operations and asked and asked not in operations:
        return False
    return any(matches(constraint.match, thing, namespace, request.source) for thing in request.objects)


def _wrong(constraint: Constraint, message: str, *, details: Any = None, error: bool = False) -> Violation:
    return Violation(
        kind=constraint.template.kind, name=constraint.name, message=message, actions=constraint.actions, details=details,
        error=error,
    )  # fmt: skip


def _by_rego(
    constraint: Constraint, request: Request, world: World, namespace: Object | None, budget: Budget
) -> tuple[Violation, ...]:
    program = constraint.template.rego
    assert program is not None
    document = dict(request.document)
    if namespace is not None:
        document["namespaceObject"] = namespace
    asked = {"review": document, "parameters": constraint.parameters}
    context = Context(external=world.external)
    found = program.evaluate(rego_source.ENTRY, asked, {"inventory": world.inventory()}, context=context, budget=budget)
    violations: list[Violation] = []
    for item in plain(found[0]["x"]) if found else ():
        message = item.get("msg") if isinstance(item, dict) else None
        if isinstance(message, str):
            violations.append(_wrong(constraint, message, details=item.get("details")))
        else:
            # Gatekeeper loses a violation that has no text; it is one all the same.
            violations.append(_wrong(constraint, "the policy is violated and its msg is no text", error=True))
    return tuple(violations)


def _by_cel(constraint: Constraint, request: Request, namespace: Object | None) -> tuple[Violation, ...]:
    policy = constraint.template.cel
    assert policy is not None
    judged = by_cel(policy, _BINDING, request.review, _Cluster(constraint.thing, namespace))
    return tuple(_wrong(constraint, item.message, error=item.error) for item in judged.decisions)


class _Cluster:
    """What a policy in CEL asks of the cluster: its constraint, as its parameter, and the namespace."""

    def __init__(self, constraint: Object, namespace: Object | None) -> None:
        self._constraint = constraint
        self._namespace = namespace

    def namespace(self, name: str) -> Object | None:  # noqa: ARG002 (the port's, here and below)
        return self._namespace

    def parameters(self, *_: str, **__: Any) -> Sequence[Object]:
        return [self._constraint]

    def authorize(self, attributes: Attributes) -> Answer:  # noqa: ARG002
        return Answer(allowed=False, error="rights are not asked for a constraint")


def engines(template: Template) -> tuple[str, ...]:
    """Those that a template has code for."""
    return (*((CEL,) if template.cel is not None else ()), *(("Rego",) if template.rego is not None else ()))
