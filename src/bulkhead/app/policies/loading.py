"""Objects of files into policies.

1. Templates first, then their constraints; policies, then their bindings: files may be in any order.
2. Kinds of a dialect that is not spoken yet are refusals, not objects.
3. Everything else may be a parameter, and is kept for those who ask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

from bulkhead.app.policies.model import Bound, Document, Object, Policies, Refused, shown_name
from bulkhead.core.errors import BulkheadError, ParseError
from bulkhead.engines import gatekeeper, vap
from bulkhead.engines.gatekeeper import Constraint, Template
from bulkhead.engines.gatekeeper import expansion as expanding
from bulkhead.engines.gatekeeper import mutation as mutating
from bulkhead.engines.vap import Policy

T = TypeVar("T")
_TEMPLATES: Final = "templates.gatekeeper.sh"
_CONSTRAINTS: Final = "constraints.gatekeeper.sh"
_MUTATIONS: Final = "mutations.gatekeeper.sh"
_EXPANSIONS: Final = "expansion.gatekeeper.sh"
_ADMISSION: Final = "admissionregistration.k8s.io"
_UNSPOKEN: Final = {
    "kyverno.io": "policies of Kyverno", "policies.kyverno.io": "policies of Kyverno", "config.gatekeeper.sh": "Gatekeeper's Config",
    "syncset.gatekeeper.sh": "Gatekeeper's SyncSet", "externaldata.gatekeeper.sh": "Gatekeeper's providers of external data",
}  # fmt: skip
"""Groups whose objects are policies, or decide what policies do, and that are not evaluated here."""


class _Loading:
    def __init__(self) -> None:
        self.refused: list[Refused] = []
        self.templates: dict[str, Template] = {}
        self.policies: dict[str, Policy] = {}

    def taken(self, document: Document, make: Callable[[Object], T]) -> T | None:
        """What is made of an object; None, and a refusal, where it is none."""
        try:
            return make(document.value)
        except BulkheadError as error:
            self.refuse(document, str(error))
            return None

    def refuse(self, document: Document, reason: str) -> None:
        self.refused.append(Refused(document.file, shown_name(document.value), reason))

    def constraint(self, thing: Object) -> Constraint:
        template = self.templates.get(str(thing.get("kind")))
        if template is None:
            raise ParseError(f"there is no ConstraintTemplate for {thing.get('kind')}")
        return gatekeeper.compile_constraint(template, thing)

    def bound(self, thing: Object) -> Bound:
        name = vap.check_binding(thing)
        if name not in self.policies:
            raise ParseError(f"there is no ValidatingAdmissionPolicy '{name}'")
        return Bound(self.policies[name], thing)


def load(documents: Iterable[Document]) -> Policies:
    """The policies among the objects, and what was refused of them."""
    loading = _Loading()
    groups: dict[tuple[str, str], list[Document]] = {}
    for document in documents:
        thing = document.value
        if not isinstance(thing, Mapping) or not isinstance(thing.get("kind"), str):
            continue
        groups.setdefault((str(thing.get("apiVersion", "")).partition("/")[0], thing["kind"]), []).append(document)
    for document in groups.pop((_TEMPLATES, "ConstraintTemplate"), ()):
        template = loading.taken(document, gatekeeper.compile_template)
        if template is not None and template.kind in loading.templates:
            loading.refuse(document, "there is another template of this name")
        elif template is not None:
            loading.templates[template.kind] = template
    for document in groups.pop((_ADMISSION, "ValidatingAdmissionPolicy"), ()):
        policy = loading.taken(document, vap.compile_policy)
        if policy is not None and policy.name in loading.policies:
            loading.refuse(document, "there is another policy of this name")
        elif policy is not None:
            loading.policies[policy.name] = policy
    bound = _all(loading, groups.pop((_ADMISSION, "ValidatingAdmissionPolicyBinding"), []), loading.bound)
    constraints, mutators, expanders, parameters = [], [], [], []
    for (group, kind), held in groups.items():
        if group == _CONSTRAINTS:
            constraints += _all(loading, held, loading.constraint)
        elif group == _MUTATIONS:
            mutators += _all(loading, held, mutating.compile_mutator)
        elif group == _EXPANSIONS:
            expanders += _all(loading, held, expanding.compile_expander)
        elif group in _UNSPOKEN or (group == _ADMISSION and kind.startswith("MutatingAdmissionPolicy")):
            for document in held:
                loading.refuse(document, f"{_UNSPOKEN.get(group, kind)} are not evaluated here yet")
        else:
            parameters += [document.value for document in held]
    return Policies(
        constraints=tuple(constraints), bound=tuple(bound), mutators=tuple(mutators), expanders=tuple(expanders),
        parameters=tuple(parameters), refused=tuple(loading.refused), notes=tuple(_notes(loading, constraints, bound)),
    )  # fmt: skip


def _all(loading: _Loading, documents: Iterable[Document], make: Callable[[Object], T]) -> list[T]:
    return [made for document in documents if (made := loading.taken(document, make)) is not None]


def _notes(loading: _Loading, constraints: list[Constraint], bound: list[Bound]) -> Iterable[str]:
    """Policies that say nothing, since nothing makes them speak."""
    asked: set[Any] = {one.template.kind for one in constraints}
    for kind in sorted(set(loading.templates) - asked):
        yield f"the template {kind} has no constraint, and says nothing"
    for name in sorted(set(loading.policies) - {one.policy.name for one in bound}):
        yield f"the policy {name} has no binding, and says nothing"
