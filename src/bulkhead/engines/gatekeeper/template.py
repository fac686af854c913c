"""A ConstraintTemplate, compiled (templates.gatekeeper.sh, v1, v1beta1 and v1alpha1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from bulkhead.core.errors import ParseError
from bulkhead.core.patterns import later
from bulkhead.engines.gatekeeper import cel_source, parameters, rego_source
from bulkhead.engines.gatekeeper.cel_source import Source
from bulkhead.engines.gatekeeper.model import Object, name_of
from bulkhead.engines.rego.program import Program
from bulkhead.engines.vap.policy import Policy

TARGET: Final = "admission.k8s.gatekeeper.sh"
REGO: Final = "Rego"
CEL: Final = "K8sNativeValidation"
_GROUP: Final = "templates.gatekeeper.sh"
_VERSIONS: Final = ("v1", "v1beta1", "v1alpha1")
_KIND: Final[re.Pattern[str]] = later(r"[A-Za-z][A-Za-z0-9]{0,62}")
_OPERATIONS: Final = ("CREATE", "UPDATE", "DELETE", "CONNECT", "*")


class Template(msgspec.Struct, frozen=True):
    """A template ready for constraints.

    Attributes:
        kind: of its constraints.
        schema: of their parameters as the template has it; None where they take none.
        checked: the same as JSON Schema.
        rego: its Rego; None without.
        cel: its CEL; None without.
        source: of the CEL.
        operations: those that it is asked about; empty for all.
    """

    kind: str
    schema: Any
    checked: Mapping[str, Any] | None
    rego: Program | None = None
    cel: Policy | None = None
    source: Source | None = None
    operations: tuple[str, ...] = ()

    @property
    def engine(self) -> str:
        """What its constraints are evaluated with: CEL where there is any, as Gatekeeper does."""
        return CEL if self.cel is not None else REGO


def compile_template(thing: Object) -> Template:
    """The template of an object.

    Raises:
        ParseError: Gatekeeper would refuse it, or there is something in it that is not known.
        ExpressionError: its Rego does not compile.
    """
    name = _name(thing)
    spec = _mapping(thing.get("spec"), "spec", name, ("crd", "targets"))
    crd = _mapping(
        _mapping(spec.get("crd"), "spec.crd", name, ("spec",)).get("spec"),
        "spec.crd.spec",
        name,
        ("names", "validation"),
    )
    kind = str(_mapping(crd.get("names"), "spec.crd.spec.names", name, ("kind", "shortNames")).get("kind") or "")
    if not _KIND.fullmatch(kind):
        raise ParseError("spec.crd.spec.names.kind is the kind of the constraints", where=name)
    if name != kind.lower():
        raise ParseError(f"a template is called as its kind in lower case: {kind.lower()}", where=name)
    validation = _mapping(
        crd.get("validation") or {}, "spec.crd.spec.validation", name, ("openAPIV3Schema", "legacySchema")
    )
    schema = validation.get("openAPIV3Schema")
    targets = spec.get("targets")
    if not isinstance(targets, list) or len(targets) != 1:
        raise ParseError("a template has one target", where=name)
    target = _mapping(targets[0], "spec.targets[0]", name, ("target", "rego", "libs", "code", "operations"))
    if target.get("target") != TARGET:
        raise ParseError(f"'{target.get('target')}' is no target of Gatekeeper's; there is {TARGET}", where=name)
    told = target.get("operations") or []
    if not isinstance(told, list):
        raise ParseError("spec.targets[0].operations is a list", where=name)
    operations = tuple(map(str, told))
    if unknown := [item for item in operations if item not in _OPERATIONS]:
        raise ParseError(f"'{unknown[0]}' is no operation", where=name)
    rego, source = _code(target, name)
    return Template(
        kind=kind, schema=schema, checked=parameters.compiled(schema), rego=rego, source=source,
        cel=None if source is None else cel_source.compile_source(source, kind),
        operations=() if "*" in operations else operations,
    )  # fmt: skip


def _name(thing: Object) -> str:
    group, _, version = str(thing.get("apiVersion", "")).partition("/")
    if group != _GROUP or version not in _VERSIONS or thing.get("kind") != "ConstraintTemplate":
        raise ParseError(f"a {thing.get('kind')} of {thing.get('apiVersion')} is no ConstraintTemplate")
    return name_of(thing)


def _mapping(value: Any, what: str, where: str, known: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ParseError(f"{what} is a mapping", where=where)
    if unknown := set(value) - set(known):
        raise ParseError(f"{what} has no {min(unknown)}", where=where)
    return value


def _code(target: Mapping[str, Any], name: str) -> tuple[Program | None, Source | None]:
    """The Rego and the CEL of a target: one of each at most, and one of them at least."""
    rego = source = None
    if target.get("rego"):
        rego = _rego({"rego": target["rego"], "libs": target.get("libs") or []}, name)
    code = target.get("code") or []
    if not isinstance(code, list):
        raise ParseError("spec.targets[0].code is a list", where=name)
    for number, item in enumerate(code):
        where = f"spec.targets[0].code[{number}]"
        part = _mapping(item, where, name, ("engine", "source"))
        if part.get("engine") == REGO:
            # Where both are given, that of the list is taken (Gatekeeper moves the other there).
            rego = _rego(_mapping(part.get("source"), f"{where}.source", name, ("rego", "libs", "version")), name)
        elif part.get("engine") == CEL:
            source = cel_source.read(part.get("source"), name)
        else:
            raise ParseError(f"{where}: there is no engine '{part.get('engine')}'", where=name)
    if rego is None and source is None:
        raise ParseError("the template has no code", where=name)
    return rego, source


def _rego(source: Mapping[str, Any], name: str) -> Program:
    text, libraries, version = source.get("rego"), source.get("libs") or [], source.get("version") or "v0"
    if (
        not isinstance(text, str)
        or not isinstance(libraries, list)
        or not all(isinstance(item, str) for item in libraries)
    ):
        raise ParseError("the source of Rego is a text and a list of texts", where=name)
    if version not in ("v0", "v1"):
        raise ParseError(f"there is no version '{version}' of Rego", where=name)
    return rego_source.compile_source(text, libraries, version=int(version[1:]), where=name)
