"""The ``authorizer`` of expressions (Kubernetes CEL library, Authz and AuthzSelectors)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from bulkhead.engines.admission.review import Review
from bulkhead.engines.cel.errors import CelError, CostExceeded
from bulkhead.engines.cel.program import Function
from bulkhead.engines.cel.types import Signature, Type
from bulkhead.engines.vap.world import Answer, Attributes, World

_CHECKS: Final = 2
"""A check costs 350,000 of the 1,000,000 that an expression may cost: a third one is too many."""
NAME: Final = "authorizer"
REQUEST: Final = "authorizer.requestResource"


class Asking:
    """One expression's checks."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.left = _CHECKS


class Authorizer(msgspec.Struct, frozen=True, eq=False):
    """Who is asked about."""

    asking: Asking
    attributes: Attributes


class _Check(msgspec.Struct, frozen=True, eq=False):
    """What is asked about; ``resource`` once that is more than a group."""

    asking: Asking
    attributes: Attributes


class _GroupCheck(_Check, frozen=True, eq=False):
    pass


class _ResourceCheck(_Check, frozen=True, eq=False):
    pass


class _PathCheck(_Check, frozen=True, eq=False):
    pass


class _Decision(msgspec.Struct, frozen=True, eq=False):
    answer: Answer


def bound(world: World, review: Review) -> dict[str, Any]:
    """The bindings of one expression."""
    asking = Asking(world)
    user = Attributes(user=review.user_info.username, groups=review.user_info.groups)
    resource = msgspec.structs.replace(
        user, group=review.resource.group, version=review.resource.version, resource=review.resource.resource,
        subresource=review.sub_resource, namespace=review.namespace, name=review.name,
    )  # fmt: skip
    return {NAME: Authorizer(asking, user), REQUEST: _ResourceCheck(asking, resource)}


def _of(value: Any, kind: type, function: str) -> Any:
    if not isinstance(value, kind):
        raise CelError(f"no such overload: {function}")
    return value


def _text(value: Any, function: str) -> str:
    return str(_of(value, str, function))


def _path(value: Any, path: Any) -> _PathCheck:
    given = _of(value, Authorizer, "path")
    if not _text(path, "path"):
        raise CelError("path must not be empty")
    return _PathCheck(given.asking, msgspec.structs.replace(given.attributes, path=path))


def _group(value: Any, group: Any) -> _GroupCheck:
    given = _of(value, Authorizer, "group")
    return _GroupCheck(given.asking, msgspec.structs.replace(given.attributes, group=_text(group, "group")))


def _service_account(value: Any, namespace: Any, name: Any) -> Authorizer:
    given = _of(value, Authorizer, "serviceAccount")
    space = _text(namespace, "serviceAccount")
    user = f"system:serviceaccount:{space}:{_text(name, 'serviceAccount')}"
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{space}", "system:authenticated")
    return Authorizer(given.asking, Attributes(user=user, groups=groups))


def _resource(value: Any, resource: Any) -> _ResourceCheck:
    given = _of(value, _GroupCheck, "resource")
    return _ResourceCheck(given.asking, msgspec.structs.replace(given.attributes, resource=_text(resource, "resource")))


def _with(field: str, function: str) -> Any:
    def changed(value: Any, text: Any) -> _ResourceCheck:
        given = _of(value, _ResourceCheck, function)
        return _ResourceCheck(given.asking, msgspec.structs.replace(given.attributes, **{field: _text(text, function)}))

    return changed


def _check(value: Any, verb: Any) -> _Decision:
    given = _of(value, _Check, "check")
    if isinstance(given, _GroupCheck):
        raise CelError("no such overload: check")
    given.asking.left -= 1
    if given.asking.left < 0:
        raise CostExceeded("operation cancelled: actual cost limit exceeded")
    return _Decision(given.asking.world.authorize(msgspec.structs.replace(given.attributes, verb=_text(verb, "check"))))


def _told(field: str, function: str) -> Any:
    def told(value: Any) -> Any:
        answer = _of(value, _Decision, function).answer
        return bool(answer.error) if field == "errored" else getattr(answer, field)

    return told


def _functions() -> Mapping[str, Function]:
    made = {
        "path": (_path, 1), "group": (_group, 1), "serviceAccount": (_service_account, 2), "resource": (_resource, 1),
        "subresource": (_with("subresource", "subresource"), 1), "namespace": (_with("namespace", "namespace"), 1),
        "name": (_with("name", "name"), 1), "fieldSelector": (_with("field_selector", "fieldSelector"), 1),
        "labelSelector": (_with("label_selector", "labelSelector"), 1), "check": (_check, 1),
        "allowed": (_told("allowed", "allowed"), 0), "reason": (_told("reason", "reason"), 0),
        "error": (_told("error", "error"), 0), "errored": (_told("errored", "errored"), 0),
    }  # fmt: skip
    return {
        name: Function(name, receiver=True, implementation=call, arguments=count)
        for name, (call, count) in made.items()
    }


FUNCTIONS: Final = _functions()
_WHO, _GROUP, _RESOURCE, _PATH, _ANSWER = (
    f"kubernetes.authorization.{name}"
    for name in ("Authorizer", "GroupCheck", "ResourceCheck", "PathCheck", "Decision")
)
TYPES: Final[dict[str, Type]] = {NAME: _WHO, REQUEST: _RESOURCE}
METHODS: Final[dict[str, tuple[Signature, ...]]] = {
    "path": (((_WHO, "string"), _PATH),), "group": (((_WHO, "string"), _GROUP),),
    "serviceAccount": (((_WHO, "string", "string"), _WHO),), "resource": (((_GROUP, "string"), _RESOURCE),),
    **dict.fromkeys(("subresource", "namespace", "name", "fieldSelector", "labelSelector"), (((_RESOURCE, "string"), _RESOURCE),)),
    "check": (((_PATH, "string"), _ANSWER), ((_RESOURCE, "string"), _ANSWER)),
    "allowed": (((_ANSWER,), "bool"),), "errored": (((_ANSWER,), "bool"),),
    "reason": (((_ANSWER,), "string"),), "error": (((_ANSWER,), "string"),),
}  # fmt: skip
