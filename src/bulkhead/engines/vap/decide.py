"""A request judged by one policy through one of its bindings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from bulkhead.core.errors import BulkheadError
from bulkhead.core.resource import UNKNOWN
from bulkhead.engines.admission import matching
from bulkhead.engines.admission.review import Review, bindings
from bulkhead.engines.cel.errors import CelError, CostExceeded, UnknownValue
from bulkhead.engines.cel.program import Program
from bulkhead.engines.vap import rights
from bulkhead.engines.vap.policy import Policy, Validation
from bulkhead.engines.vap.world import World

_MESSAGE: Final = 5 * 1024
"""Bytes of what a messageExpression may say."""
_CODES: Final = {"Invalid": 422, "Forbidden": 403, "RequestEntityTooLarge": 413, "Unauthorized": 401}


class Decision(msgspec.Struct, frozen=True):
    """One thing that is wrong with a request.

    Attributes:
        actions: what the binding does about it: ``Deny``, ``Warn``, ``Audit``.
        message: of the validation, or of what went wrong.
        reason: the API's word, with its status code.
        error: whether it could not be evaluated, rather than being false.
    """

    policy: str
    binding: str
    actions: tuple[str, ...]
    message: str
    reason: str = "Invalid"
    error: bool = False
    validation: int = -1

    @property
    def code(self) -> int:
        return _CODES[self.reason]

    @property
    def denial(self) -> str:
        return f"ValidatingAdmissionPolicy '{self.policy}' with binding '{self.binding}' denied request: {self.message}"

    @property
    def warning(self) -> str:
        return f"Validation failed for ValidatingAdmissionPolicy '{self.policy}' with binding '{self.binding}': {self.message}"


class Judged(msgspec.Struct, frozen=True):
    """What one policy and binding say, and what they add to the audit event (key → values, one for each parameter)."""

    decisions: tuple[Decision, ...] = ()
    annotations: Mapping[str, tuple[str, ...]] = {}


def decide(policy: Policy, binding: Mapping[str, Any], review: Review, world: World) -> Judged:
    """What is wrong with the request; nothing where the policy has nothing to say about it."""
    spec = binding.get("spec") or {}
    name = str((binding.get("metadata") or {}).get("name", ""))
    actions = tuple(str(action) for action in spec.get("validationActions") or ())
    judging = _Judging(policy, name, actions, review, world)
    try:
        namespace = world.namespace(review.namespace) if review.namespace else None
        if not matching.matches(policy.constraints, review, namespace):
            return Judged()
        if not matching.matches(spec.get("matchResources"), review, namespace):
            return Judged()
        judging.namespace = namespace
        found = list(judging.parameters(spec.get("paramRef")))
    except BulkheadError as error:
        # What cannot be told is no reason to let something pass.
        return judging.failed(str(error))
    decisions: list[Decision] = []
    annotations: dict[str, list[str]] = {}
    for parameter in found:
        judged = judging.with_parameter(parameter)
        decisions += judged.decisions
        for key, values in judged.annotations.items():
            annotations.setdefault(key, []).extend(values)
    return Judged(tuple(decisions), {key: tuple(values) for key, values in annotations.items()})


class _NoParameters(BulkheadError):
    code = "B200"


class _Judging:
    def __init__(self, policy: Policy, binding: str, actions: tuple[str, ...], review: Review, world: World) -> None:
        self._policy = policy
        self._binding = binding
        self._actions = actions
        self._review = review
        self._world = world
        self._request = bindings(review)
        self.namespace: Mapping[str, Any] | None = None

    def failed(self, message: str) -> Judged:
        """What cannot be evaluated, by the failure policy."""
        if self._policy.failure_policy == "Ignore":
            return Judged()
        return Judged((self._decision(message, error=True),))

    def _decision(self, message: str, *, reason: str = "Invalid", error: bool = False, number: int = -1) -> Decision:
        return Decision(self._policy.name, self._binding, self._actions, message, reason, error, number)

    def parameters(self, reference: Any) -> Iterator[Mapping[str, Any] | None]:
        """The parameters that the binding names; None once where the policy takes none.

        Raises:
            BulkheadError: there are none where some must be, or they cannot be told.
        """
        if self._policy.parameters is None:
            yield None
            return
        if not isinstance(reference, Mapping):
            yield None
            return
        version, kind = self._policy.parameters
        namespace = str(reference.get("namespace") or self._review.namespace)
        selector = reference.get("selector")
        found = self._world.parameters(
            version, kind, namespace=namespace, name=str(reference.get("name") or ""),
            selector=selector if isinstance(selector, Mapping) else None,
        )  # fmt: skip
        if not found and reference.get("parameterNotFoundAction") != "Allow":
            raise _NoParameters(
                "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"
            )
        yield from found

    def with_parameter(self, parameter: Mapping[str, Any] | None) -> Judged:
        bound = _Bound(self._policy, self._review, self._request, parameter, self.namespace, self._world)
        try:
            if not self._conditions(bound):
                return Judged()
        except CelError as error:
            return self.failed(str(error))
        decisions = [
            made
            for number, validation in enumerate(self._policy.validations)
            if (made := self._validation(bound, validation, number)) is not None
        ]
        annotations: dict[str, tuple[str, ...]] = {}
        for annotation in self._policy.annotations:
            try:
                value = bound.evaluate(annotation.expression)
            except CelError as error:
                if self._policy.failure_policy != "Ignore":
                    decisions.append(self._decision(f"audit annotation '{annotation.name}': {error}", error=True))
                continue
            if isinstance(value, str) and value.strip():
                annotations[f"{self._policy.name}/{annotation.name}"] = (value.strip(),)
        return Judged(tuple(decisions), annotations)

    def _conditions(self, bound: _Bound) -> bool:
        """Whether all are true; one that is false decides, whatever else went wrong.

        Raises:
            CelError: none is false, and one cannot be evaluated.
        """
        failed: CelError | None = None
        for condition in self._policy.conditions:
            try:
                if bound.evaluate(condition.expression) is not True:
                    return False
            except CelError as error:
                said = f"expression '{condition.expression.source.strip()}' resulted in error: {error}"
                failed = failed or CelError(said)
        if failed is not None:
            raise failed
        return True

    def _validation(self, bound: _Bound, validation: Validation, number: int) -> Decision | None:
        source = validation.expression.source
        try:
            held = bound.evaluate(validation.expression)
        except CelError as error:
            if self._policy.failure_policy == "Ignore":
                return None
            message = f"expression '{source.strip()}' resulted in error: {error}"
            return self._decision(message, reason=validation.reason, error=True, number=number)
        if held is True:
            return None
        message = self._said(bound, validation) or validation.message or f"failed expression: {source.strip()}"
        return self._decision(message, reason=validation.reason, number=number)

    def _said(self, bound: _Bound, validation: Validation) -> str:
        """What the messageExpression says; empty where it says nothing of use."""
        if validation.message_expression is None:
            return ""
        try:
            value = bound.evaluate(validation.message_expression)
        except CelError:
            return ""
        if not isinstance(value, str):
            return ""
        told = value.strip()
        return told if "\n" not in told and len(told.encode()) <= _MESSAGE else ""


class _Bound:
    """The bindings of a policy's expressions; a variable is computed when an expression first reads it."""

    def __init__(
        self, policy: Policy, review: Review, request: Mapping[str, Any], parameter: Mapping[str, Any] | None,
        namespace: Mapping[str, Any] | None, world: World,
    ) -> None:  # fmt: skip
        self._values: dict[str, Any] = {
            "object": review.object, "oldObject": review.old_object, "request": request, "params": parameter,
            "namespaceObject": namespace,
        }  # fmt: skip
        self._variables = {f"variables.{item.name}": item.expression for item in policy.variables}
        self._broken: dict[str, CelError] = {}
        self._review = review
        self._world = world

    def evaluate(self, program: Program) -> Any:
        """Raises CelError where the expression has no value."""
        given = dict(self._values)
        broken: list[str] = []
        for name in program.identifiers:
            if name in self._variables:
                given[name] = self._variable(name)
                if given[name] is UNKNOWN:
                    broken.append(name)
        if rights.NAME in program.identifiers or rights.REQUEST in program.identifiers:
            given |= rights.bound(self._world, self._review)
        try:
            return program.evaluate(given)
        except UnknownValue:
            if not broken:
                raise
            error = self._broken[min(broken)]
            if isinstance(error, CostExceeded):
                raise error from None
            raise CelError(
                f'composited variable "{min(broken).partition(".")[2]}" fails to evaluate: {error}'
            ) from None

    def _variable(self, name: str) -> Any:
        """Its value; one that has none is unknown, which only what depends on it finds out."""
        if name not in self._values:
            try:
                self._values[name] = self.evaluate(self._variables[name])
            except CelError as error:
                self._broken[name] = error
                self._values[name] = UNKNOWN
        return self._values[name]
