"""Suites of gator (test.gatekeeper.sh/v1alpha1): templates and constraints held against objects."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from bulkhead.core.errors import BulkheadError, ParseError
from bulkhead.engines.admission.review import Review
from bulkhead.engines.cel.errors import CelError
from bulkhead.engines.cel.library.patterns import compiled
from bulkhead.engines.gatekeeper import expansion
from bulkhead.engines.gatekeeper.constraint import Constraint, compile_constraint
from bulkhead.engines.gatekeeper.judge import judge
from bulkhead.engines.gatekeeper.model import GATOR, Object, Request, Violation, metadata_of, of_object, of_review
from bulkhead.engines.gatekeeper.objects import Objects
from bulkhead.engines.gatekeeper.template import Template, compile_template

KIND: Final = "Suite"
_GROUP: Final = "test.gatekeeper.sh"
Load = Callable[[str], Sequence[Object]]
"""The objects of a file, by its path beside the suite. Raises BulkheadError where there is none."""


class Assertion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many violations there are of those whose message fits."""

    violations: int | Literal["yes", "no"] | bool = "yes"
    message: str | None = None


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str = ""
    object: str = ""
    inventory: tuple[str, ...] = ()
    assertions: tuple[Assertion, ...] = ()
    skip: bool = False


class Test(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str = ""
    template: str = ""
    constraint: str = ""
    expansion: str = ""
    cases: tuple[Case, ...] = ()
    invalid: bool = False
    skip: bool = False


class Suite(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    apiVersion: str  # noqa: N815 (the wire's own word)
    kind: str
    metadata: dict[str, Any] = {}
    tests: tuple[Test, ...] = ()
    skip: bool = False


class Held(msgspec.Struct, frozen=True):
    """One assertion, or a whole test or case that could not be run.

    Attributes:
        outcome: ``refused`` where what it is about cannot be evaluated.
    """

    test: str
    case: str
    number: int
    outcome: Literal["pass", "fail", "skip", "refused"]
    message: str = ""


def read(thing: Any) -> Suite:
    """Raises ParseError where it is no suite, or there is something in it that is not known."""
    try:
        found = msgspec.convert(thing, Suite)
    except msgspec.ValidationError as error:
        raise ParseError(f"it is no suite: {error}") from error
    if found.kind != KIND or found.apiVersion.partition("/")[0] != _GROUP:
        raise ParseError(f"a {found.kind} of {found.apiVersion} is no suite of {_GROUP}")
    return found


def run(suite: Suite, load: Load, *, engine: str = "") -> Iterator[Held]:
    """Every assertion of a suite.

    Args:
        suite: what is asserted.
        load: reads the files that it names.
        engine: evaluates with this one where a template has code for it; empty for the template's own.
    """
    for test in suite.tests:
        if suite.skip or test.skip:
            yield Held(test.name, "", 0, "skip")
            continue
        try:
            template = _template(test, load)
            if test.invalid:
                yield _invalid(test, template, load)
                continue
            constraint = compile_constraint(template, _only(load, test.constraint, "constraint"))
            expander = expansion.compile_all(load(test.expansion)) if test.expansion else ()
        except BulkheadError as error:
            yield Held(test.name, "", 0, "refused", str(error))
            continue
        chosen = engine if engine == "Rego" and template.rego is not None else ""
        for case in test.cases:
            yield from _case(test, case, constraint, expander, load, chosen)


def _template(test: Test, load: Load) -> Template:
    return compile_template(_only(load, test.template, "template"))


def _invalid(test: Test, template: Template, load: Load) -> Held:
    """A test that a constraint does not follow its template's schema."""
    try:
        compile_constraint(template, _only(load, test.constraint, "constraint"))
    except ParseError:
        return Held(test.name, "", 0, "pass")
    return Held(test.name, "", 0, "fail", "the constraint is taken, and should be refused")


def _only(load: Load, path: str, what: str) -> Object:
    if not path:
        raise ParseError(f"a test has a {what}")
    found = load(path)
    if len(found) != 1:
        raise ParseError(f"there are {len(found)} objects, not one {what}", where=path)
    return found[0]


def _case(
    test: Test, case: Case, constraint: Constraint, expander: Sequence[expansion.Expander], load: Load, engine: str
) -> Iterator[Held]:
    if case.skip:
        yield Held(test.name, case.name, 0, "skip")
        return
    try:
        if not case.assertions:
            raise ParseError("a case asserts something")
        world = Objects(item for path in case.inventory for item in load(path))
        thing = _only(load, case.object, "object")
        found = list(judge(constraint, _request(thing), world, engine=engine))
        if thing.get("kind") != "AdmissionReview":
            for made in expansion.expand(expander, thing, world):
                judged = judge(constraint, of_object(made.object, "Generated"), world, engine=engine)
                found += [msgspec.structs.replace(item, message=f"{made.prefix} {item.message}") for item in judged]
    except BulkheadError as error:
        yield Held(test.name, case.name, 0, "refused", str(error))
        return
    found = [item for item in found if GATOR in item.actions]
    for number, assertion in enumerate(case.assertions):
        yield _asserted(test, case, number, assertion, found)


def _request(thing: Object) -> Request:
    """The request of an AdmissionReview, of which a suite tells only what matters; or an object alone."""
    if thing.get("kind") != "AdmissionReview":
        return of_object(thing)
    asked = thing.get("request")
    if not isinstance(asked, Mapping):
        raise ParseError("the AdmissionReview has no request")
    shown = asked.get("object") or asked.get("oldObject")
    if not isinstance(shown, Mapping) or not shown.get("kind"):
        raise ParseError("the request has neither an object nor an oldObject with a kind")
    group, _, version = str(shown.get("apiVersion", "")).rpartition("/")
    kind = {"group": group, "version": version, "kind": shown["kind"]}
    metadata = metadata_of(shown)
    told = {"name": metadata.get("name") or "", "namespace": metadata.get("namespace") or ""}
    whole = {"kind": kind, "resource": {}, "operation": "", **told, **asked}
    operation = whole["operation"]
    try:
        review = msgspec.convert({**whole, "operation": operation or "CREATE"}, Review)
    except msgspec.ValidationError as error:
        raise ParseError(f"it is no AdmissionReview: {error}") from error
    return of_review(review if operation else msgspec.structs.replace(review, operation=""))


def _asserted(test: Test, case: Case, number: int, assertion: Assertion, found: Sequence[Violation]) -> Held:
    errors = [item.message for item in found if item.error]
    try:
        pattern = None if assertion.message is None else compiled(assertion.message)
        fits = [item for item in found if pattern is None or pattern.search(item.message)]
    except CelError:
        return Held(test.name, case.name, number, "refused", f"'{assertion.message}' is no regular expression")
    # YAML reads a bare yes as true.
    told = assertion.violations
    wanted = ("yes" if told else "no") if isinstance(told, bool) else told
    held = {"yes": bool(fits), "no": not fits}[wanted] if isinstance(wanted, str) else len(fits) == wanted
    if errors:
        return Held(test.name, case.name, number, "refused", errors[0])
    if held:
        return Held(test.name, case.name, number, "pass")
    said = f"{len(fits)} violations, {wanted} wanted: {[item.message for item in found][:5]}"
    return Held(test.name, case.name, number, "fail", said)


def beside(suite: str, path: str) -> str:
    """The path of a file that a suite names."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(suite), path))
