"""Mutators, compiled: Assign, AssignMetadata, ModifySet and AssignImage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from bulkhead.core.errors import ParseError
from bulkhead.engines.gatekeeper.matching import Match, compile_match
from bulkhead.engines.gatekeeper.model import Object, name_of
from bulkhead.engines.gatekeeper.mutation import images
from bulkhead.engines.gatekeeper.mutation.paths import Field, Items, Path, parse

GROUP: Final = "mutations.gatekeeper.sh"
KINDS: Final = ("Assign", "AssignMetadata", "ModifySet", "AssignImage")
_VERSIONS: Final = ("v1", "v1beta1", "v1alpha1")
_NAME: Final = 63
Condition = Literal["MustExist", "MustNotExist"]
Names = tuple[str, ...]


class ApplyTo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    groups: Names = ()
    kinds: Names = ()
    versions: Names = ()
    operations: tuple[Literal["CREATE", "UPDATE", "*"], ...] = ()


class FromMetadata(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    field: Literal["name", "namespace"]


class External(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A value that a provider gives for what is there, or for who asks."""

    provider: str
    dataSource: Literal["ValueAtLocation", "Username"] = "ValueAtLocation"  # noqa: N815 (the wire's own words)
    failurePolicy: Literal["Fail", "Ignore", "UseDefault"] = "Fail"  # noqa: N815
    default: str = ""


class _Assigned(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    value: Any = msgspec.UNSET
    fromMetadata: FromMetadata | None = None  # noqa: N815
    externalData: External | None = None  # noqa: N815


class PathTest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    subPath: str  # noqa: N815
    condition: Condition


class _Values(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    fromList: list[Any] = []  # noqa: N815


class _Parameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Those of all kinds; which of them a kind takes is looked at apart."""

    pathTests: tuple[PathTest, ...] = ()  # noqa: N815
    assign: _Assigned | None = None
    operation: Literal["merge", "prune"] = "merge"
    values: _Values | None = None
    assignDomain: str = ""  # noqa: N815
    assignPath: str = ""  # noqa: N815
    assignTag: str = ""  # noqa: N815


_TAKES: Final[Mapping[str, frozenset[str]]] = {
    "Assign": frozenset({"pathTests", "assign"}),
    "AssignMetadata": frozenset({"assign"}),
    "ModifySet": frozenset({"pathTests", "operation", "values"}),
    "AssignImage": frozenset({"pathTests", "assignDomain", "assignPath", "assignTag"}),
}


class Value(msgspec.Struct, frozen=True):
    """What is put at the place, for ``assign``: a value, a field of the metadata, or what a provider gives."""

    value: Any = None
    metadata: str = ""
    external: External | None = None


class Elements(msgspec.Struct, frozen=True):
    """What is put into the list at the place, or taken from it."""

    values: tuple[Any, ...]
    prune: bool


class Image(msgspec.Struct, frozen=True):
    """What takes the place of parts of the image's reference."""

    domain: str
    path: str
    tag: str


class Mutator(msgspec.Struct, frozen=True):
    """A mutator ready to be applied.

    Attributes:
        applies_to: kinds that it changes; None for all.
        tests: by the number of steps of the path that they are about.
    """

    kind: str
    name: str
    path: Path
    change: Value | Elements | Image
    match: Match
    applies_to: tuple[ApplyTo, ...] | None
    tests: Mapping[int, Condition]

    @property
    def order(self) -> tuple[str, str]:
        return self.kind, self.name

    def may_be(self, depth: int) -> bool:
        """Whether something may stand at a step of the path."""
        return self.tests.get(depth) != "MustNotExist"

    def may_miss(self, depth: int) -> bool:
        return self.tests.get(depth) != "MustExist"


def compile_mutator(thing: Object) -> Mutator:
    """The mutator of an object.

    Raises:
        ParseError: Gatekeeper would refuse it, or there is something in it that is not known.
    """
    kind = str(thing.get("kind", ""))
    group, _, version = str(thing.get("apiVersion", "")).partition("/")
    name = name_of(thing)
    if group != GROUP or version not in _VERSIONS or kind not in KINDS:
        raise ParseError(f"a {kind} of {thing.get('apiVersion')} is no mutator", where=name)
    if not 0 < len(name) <= _NAME:
        raise ParseError(f"a mutator has a name of at most {_NAME} characters", where=name)
    try:
        return _compiled(kind, name, thing.get("spec"))
    except ParseError as error:
        raise ParseError(error.message, where=f"{kind}/{name}") from error


def _compiled(kind: str, name: str, spec: Any) -> Mutator:
    known = {"match", "location", "parameters"} | ({"applyTo"} if kind != "AssignMetadata" else set())
    if not isinstance(spec, Mapping):
        raise ParseError("spec is a mapping")
    if unknown := set(spec) - known:
        raise ParseError(f"spec has no {min(unknown)}")
    given = spec.get("parameters") or {}
    if isinstance(given, Mapping) and (unknown := set(given) - _TAKES[kind]):
        raise ParseError(f"spec.parameters of {kind} has no {min(unknown)}")
    try:
        parameters = msgspec.convert(given, _Parameters)
        applies_to = msgspec.convert(spec.get("applyTo") or [], tuple[ApplyTo, ...])
    except msgspec.ValidationError as error:
        raise ParseError(f"spec: {error}") from error
    path = parse(str(spec.get("location") or ""))
    if not path:
        raise ParseError("spec.location is empty")
    _check_path(kind, path)
    if kind != "AssignMetadata":
        _check_applies(applies_to)
    tests = _tests(path, parameters.pathTests)
    if kind == "AssignMetadata":
        # What is there already stays as it is.
        tests = {len(path) - 1: "MustNotExist"}
    return Mutator(
        kind=kind, name=name, path=path, change=_change(kind, path, parameters), match=compile_match(spec.get("match")),
        applies_to=None if kind == "AssignMetadata" else applies_to, tests=tests,
    )  # fmt: skip


def _check_path(kind: str, path: Path) -> None:
    last = path[-1]
    if kind == "AssignMetadata":
        inside = len(path) == 3 and all(isinstance(step, Field) for step in path)
        if not inside or path[:2] not in (
            (Field("metadata"), Field("labels")),
            (Field("metadata"), Field("annotations")),
        ):
            raise ParseError("AssignMetadata sets metadata.labels.NAME or metadata.annotations.NAME")
        return
    if path[0] == Field("metadata"):
        raise ParseError(f"{kind} cannot change metadata")
    if isinstance(last, Items) and kind != "Assign":
        raise ParseError(f"the location of {kind} ends with a field")
    if len(path) > 1 and isinstance(path[-2], Items) and last == Field(path[-2].field):
        raise ParseError("the key of a list's items cannot be changed")


def _check_applies(applies_to: tuple[ApplyTo, ...]) -> None:
    if not applies_to:
        raise ParseError("spec.applyTo says to which kinds it is applied")
    for item in applies_to:
        if not item.groups or not item.versions or not item.kinds:
            raise ParseError("an item of spec.applyTo has groups, versions and kinds")
        if any("*" in names for names in (item.groups, item.versions, item.kinds)):
            raise ParseError("spec.applyTo takes no wildcards")
        if "*" in item.operations and len(item.operations) > 1:
            raise ParseError("a star stands alone in the operations of spec.applyTo")


def _tests(path: Path, tests: tuple[PathTest, ...]) -> dict[int, Condition]:
    found: dict[int, Condition] = {}
    for test in tests:
        part = parse(test.subPath)
        if not part or path[: len(part)] != part:
            raise ParseError(f"the tested path '{test.subPath}' is no beginning of the location")
        if found.setdefault(len(part) - 1, test.condition) != test.condition:
            raise ParseError(f"'{test.subPath}' must exist and must not")
    missing = [depth for depth, condition in found.items() if condition == "MustNotExist"]
    if missing and any(condition == "MustExist" and depth > min(missing) for depth, condition in found.items()):
        raise ParseError("a path must exist below one that must not")
    return found


def _change(kind: str, path: Path, parameters: _Parameters) -> Value | Elements | Image:
    if kind == "ModifySet":
        if parameters.values is None:
            raise ParseError("spec.parameters.values.fromList is given")
        return Elements(tuple(parameters.values.fromList), parameters.operation == "prune")
    if kind == "AssignImage":
        images.check(parameters.assignDomain, parameters.assignPath, parameters.assignTag)
        return Image(parameters.assignDomain, parameters.assignPath, parameters.assignTag)
    given = parameters.assign
    kinds = (
        0
        if given is None
        else sum(
            item is not None and item is not msgspec.UNSET
            for item in (given.value, given.fromMetadata, given.externalData)
        )
    )
    if given is None or (kinds != 1 and given.value is not None):
        raise ParseError("spec.parameters.assign has one of value, fromMetadata and externalData")
    if kind == "AssignMetadata":
        if given.value is not msgspec.UNSET and not isinstance(given.value, str):
            raise ParseError("the value of a label or an annotation is a text")
        if given.externalData is not None and given.externalData.dataSource != "Username":
            raise ParseError("a label or an annotation takes external data of the user's name alone")
    last = path[-1]
    if isinstance(last, Items):
        if last.value is None:
            raise ParseError("nothing can be put at all items of a list at once")
        if not isinstance(given.value, dict) or given.value.get(last.field) != last.value:
            raise ParseError(f"an item with {last.field} {last.value} is put there, which the value has to have")
    if given.fromMetadata is not None:
        return Value(metadata=given.fromMetadata.field)
    return (
        Value(value=given.value, external=given.externalData)
        if given.externalData is None
        else Value(external=given.externalData)
    )
