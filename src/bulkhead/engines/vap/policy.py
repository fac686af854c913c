"""A policy, compiled; and what the API server would refuse in it, in its words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

import msgspec

from bulkhead.core.errors import ExpressionError, ParseError
from bulkhead.core.patterns import later
from bulkhead.engines.cel.check import check
from bulkhead.engines.cel.lexer import failure
from bulkhead.engines.cel.parser import parse
from bulkhead.engines.cel.program import Program, compile  # noqa: A004 (the verb of every expression engine)
from bulkhead.engines.cel.syntax import Node
from bulkhead.engines.cel.types import DYN, Type, shown
from bulkhead.engines.vap import rights

_REASONS: Final = ("Forbidden", "Invalid", "RequestEntityTooLarge")
_OPERATIONS: Final = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
_GROUP_VERSION: Final = re.compile(r"[^/]+(/[^/]+)?")
_KEY: Final = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TWO_NAMES: Final = later(r"\(\s*([A-Za-z_][A-Za-z0-9_]*)\s*,\s*(\1)\s*,")
_STARTS: Final = (
    "'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER"
)
_END: Final = "Syntax error: mismatched input '<EOF>' expecting {" + _STARTS + "}"
_MANY: Final = 200
Failure = Literal["Fail", "Ignore"]


class Validation(msgspec.Struct, frozen=True):
    """One expression that must be true, and what is said where it is not."""

    expression: Program
    message: str = ""
    message_expression: Program | None = None
    reason: str = "Invalid"


class Named(msgspec.Struct, frozen=True):
    name: str
    expression: Program


class Policy(msgspec.Struct, frozen=True):
    """A ValidatingAdmissionPolicy ready to be evaluated."""

    name: str
    constraints: Mapping[str, Any]
    failure_policy: Failure
    parameters: tuple[str, str] | None
    conditions: tuple[Named, ...]
    variables: tuple[Named, ...]
    validations: tuple[Validation, ...]
    annotations: tuple[Named, ...]


class _Wrong(msgspec.Struct):
    """What is wrong with a field, in the API server's words."""

    field: str
    message: str


def compile_policy(thing: Mapping[str, Any]) -> Policy:
    """The policy of an object.

    Raises:
        ParseError: the API server would refuse it, for the reason that is told.
    """
    metadata = thing.get("metadata")
    name = str(metadata.get("name", "")) if isinstance(metadata, Mapping) else ""
    spec = thing.get("spec")
    spec = spec if isinstance(spec, Mapping) else {}
    wrong = list(_shape(name, spec))
    compiler = _Compiler(spec)
    made = compiler.all()
    wrong += compiler.wrong
    if wrong:
        said = [f"{item.field}: {item.message}" for item in wrong]
        listed = said[0] if len(said) == 1 else f"[{', '.join(said)}]"
        shown = "ValidatingAdmissionPolicy.admissionregistration.k8s.io"
        raise ParseError(f'{shown} "{name}" is invalid: {listed}', where=name)
    kind = spec.get("paramKind")
    parameters = (str(kind["apiVersion"]), str(kind["kind"])) if isinstance(kind, Mapping) else None
    failure: Failure = "Ignore" if spec.get("failurePolicy") == "Ignore" else "Fail"
    return Policy(name, spec["matchConstraints"], failure, parameters, *made)


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _unsupported(field: str, value: Any, supported: tuple[str, ...]) -> _Wrong:
    return _Wrong(
        field, f"Unsupported value: {_quoted(str(value))}: supported values: {', '.join(map(_quoted, supported))}"
    )


def _items(spec: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = spec.get(name)
    return [item for item in found if isinstance(item, Mapping)][:_MANY] if isinstance(found, list) else []


def _shape(name: str, spec: Mapping[str, Any]) -> Iterator[_Wrong]:
    failure = spec.get("failurePolicy", "Fail")
    if failure not in ("Fail", "Ignore"):
        yield _unsupported("spec.failurePolicy", failure, ("Fail", "Ignore"))
    kind = spec.get("paramKind")
    if isinstance(kind, Mapping) and not (isinstance(kind.get("kind"), str) and kind["kind"]):
        yield _Wrong("spec.paramKind.kind", "Required value")
    if isinstance(kind, Mapping) and not _GROUP_VERSION.fullmatch(str(kind.get("apiVersion", ""))):
        version = str(kind.get("apiVersion", ""))
        message = f"Invalid value: {_quoted(version)}: unexpected GroupVersion string: {version}"
        yield _Wrong("spec.paramKind.apiVersion", message)
    constraints = spec.get("matchConstraints")
    if not isinstance(constraints, Mapping):
        yield _Wrong("spec.matchConstraints", "Required value")
    else:
        yield from _constraints(constraints)
    if not spec.get("validations") and not spec.get("auditAnnotations"):
        message = "Required value: validations or auditAnnotations must contain at least one item"
        yield _Wrong("spec.validations", message)
        yield _Wrong("spec.auditAnnotations", message)
    seen: set[str] = set()
    for index, condition in enumerate(_items(spec, "matchConditions")):
        if str(condition.get("name")) in seen:
            yield _Wrong(
                f"spec.matchConditions[{index}].name", f"Duplicate value: {_quoted(str(condition.get('name')))}"
            )
        seen.add(str(condition.get("name")))
    for index, validation in enumerate(_items(spec, "validations")):
        yield from _validation(f"spec.validations[{index}]", validation)
    for index, annotation in enumerate(_items(spec, "auditAnnotations")):
        key = str(annotation.get("key", ""))
        if not _KEY.fullmatch(key) or len(key) > 63:
            rule = (
                "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
                f"character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{_KEY.pattern}')"
            )
            yield _Wrong(f"spec.auditAnnotations[{index}].key", f"Invalid value: {_quoted(f'{name}/{key}')}: {rule}")


def _constraints(constraints: Mapping[str, Any]) -> Iterator[_Wrong]:
    for part in ("resourceRules", "excludeResourceRules"):
        for index, rule in enumerate(_items(constraints, part)):
            field = f"spec.matchConstraints.{part}[{index}]"
            operations = rule.get("operations")
            for number, operation in enumerate(operations if isinstance(operations, list) else ()):
                if operation not in _OPERATIONS:
                    yield _unsupported(f"{field}.operations[{number}]", operation, _OPERATIONS)
            resources = rule.get("resources")
            plain = [str(item) for item in resources if "/" not in str(item)] if isinstance(resources, list) else []
            if "*" in plain and len(plain) > 1:
                shown = msgspec.json.encode(resources).decode()
                message = (
                    f"Invalid value: {shown}: if '*' is present, must not specify other resources without subresources"
                )
                yield _Wrong(f"{field}.resources", message)


def _validation(field: str, validation: Mapping[str, Any]) -> Iterator[_Wrong]:
    message = validation.get("message")
    if isinstance(message, str) and "\n" in message.strip():
        yield _Wrong(f"{field}.message", f"Invalid value: {_quoted(message)}: must not contain line breaks")
    reason = validation.get("reason", "Invalid")
    if reason not in _REASONS:
        yield _unsupported(f"{field}.reason", reason, _REASONS)


class _Compiler:
    def __init__(self, spec: Mapping[str, Any]) -> None:
        self._spec = spec
        self.wrong: list[_Wrong] = []
        names = {"object", "oldObject", "request", "namespaceObject"}
        self._names = names | ({"params"} if isinstance(spec.get("paramKind"), Mapping) else set())
        self._kinds: dict[str, Type] = {}

    def all(self) -> tuple[tuple[Named, ...], tuple[Named, ...], tuple[Validation, ...], tuple[Named, ...]]:
        conditions = [
            Named(str(item.get("name", "")), made)
            for index, item in enumerate(_items(self._spec, "matchConditions"))
            if (made := self._one(f"spec.matchConditions[{index}].expression", item.get("expression"), "bool"))
            is not None
        ]
        variables = []
        for index, item in enumerate(_items(self._spec, "variables")):
            name = str(item.get("name", ""))
            if not _IDENTIFIER.fullmatch(name):
                self.wrong.append(
                    _Wrong(
                        f"spec.variables[{index}].name",
                        f"Invalid value: {_quoted(name)}: name is not a valid CEL identifier",
                    )
                )
                continue
            made = self._one(f"spec.variables[{index}].expression", item.get("expression"), variable=name)
            self._kinds.setdefault(f"variables.{name}", DYN)
            if made is not None:
                variables.append(Named(name, made))
        validations = [
            one
            for index, item in enumerate(_items(self._spec, "validations"))
            if (one := self._validation(f"spec.validations[{index}]", item)) is not None
        ]
        annotations = [
            Named(str(item.get("key", "")), made)
            for index, item in enumerate(_items(self._spec, "auditAnnotations"))
            if (
                made := self._one(
                    f"spec.auditAnnotations[{index}].valueExpression",
                    item.get("valueExpression"),
                )
            )
            is not None
        ]
        return tuple(conditions), tuple(variables), tuple(validations), tuple(annotations)

    def _validation(self, field: str, item: Mapping[str, Any]) -> Validation | None:
        expression = self._one(f"{field}.expression", item.get("expression"), "bool")
        said = None
        if isinstance(item.get("messageExpression"), str) and item["messageExpression"]:
            said = self._one(f"{field}.messageExpression", item["messageExpression"], "string", authorizer=False)
        if expression is None:
            return None
        return Validation(
            expression, str(item.get("message") or "").strip(), said, str(item.get("reason") or "Invalid")
        )

    def _one(
        self, field: str, text: Any, wanted: str = "", *, authorizer: bool = True, variable: str = ""
    ) -> Program | None:
        if not isinstance(text, str) or not text.strip():
            what = "valueExpression" if field.endswith("valueExpression") else "expression"
            self.wrong.append(_Wrong(field, f"Required value: {what} is not specified"))
            return None
        scope: dict[str, Type] = {
            **dict.fromkeys(self._names, DYN),
            **self._kinds,
            **(rights.TYPES if authorizer else {}),
        }
        try:
            # That there are variables is known before the first of them.
            kind = check(text, _parsed(text), scope | {"variables.": DYN}, rights.METHODS)
            # What a message says must be known to be text; whether something holds may be found out later.
            if wanted and kind != wanted and (kind, wanted) != (DYN, "bool"):
                said = f"Invalid value: {_quoted(text)}: must evaluate to {wanted} but got {shown(kind)}"
                self.wrong.append(_Wrong(field, said))
                return None
            if variable:
                self._kinds[f"variables.{variable}"] = kind
            return compile(text, variables=frozenset(scope), functions=rights.FUNCTIONS)
        except ExpressionError as error:
            told = f"Invalid value: {_quoted(text)}: compilation failed: {_located(error, text)}"
            self.wrong.append(_Wrong(field, told))
            return None


def _parsed(text: str) -> Node:
    """The tree; what is wrong with the text is told as the API server's parser tells it, where that is known."""
    try:
        return parse(text)
    except ExpressionError as error:
        if error.message.startswith("unexpected end of expression"):
            raise failure(text, len(text.rstrip()) + (1 if text[-1:] == " " else 0), _END) from None
        if error.message.endswith("names the same variable twice"):
            raise _twice(text, error) from None
        raise


def _twice(text: str, error: ExpressionError) -> ExpressionError:
    """The place of the second name."""
    match = _TWO_NAMES.search(text)
    return failure(text, match.start(2), f"duplicate variable name: {match[1]}") if match else error


def _located(error: ExpressionError, text: str) -> str:
    """The error as the API server shows it, with the line and a mark below it."""
    line, column = int(error.facts.get("line", 1)), int(error.facts.get("column", 1))
    lines = text.split("\n")
    shown = lines[line - 1] if 0 < line <= len(lines) else ""
    return f"ERROR: <input>:{line}:{column}: {error.message}\n | {shown}\n | {'.' * (column - 1)}^"
