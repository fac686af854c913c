"""Texts to trees: what the grammar allows, in both versions, and where everything else is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bulkhead.core.errors import ExpressionError
from bulkhead.engines.rego import syntax
from bulkhead.engines.rego.parser.modules import module, query
from bulkhead.engines.rego.syntax import Call, Expression, Rule, String, Var
from tests.corpora import folder


def rules(text: str, version: int = 1) -> tuple[Rule, ...]:
    return module("package p\n" + text, "m.rego", version=version).rules


def term(text: str) -> Any:
    [literal] = query(text)
    assert isinstance(literal, Expression)
    return literal.term


def shown(value: Any) -> Any:
    """A term in brackets, without places."""
    if isinstance(value, Call):
        return [".".join(value.name), *map(shown, value.arguments)]
    if isinstance(value, Var):
        return value.name
    if isinstance(value, String):
        return repr(value.value)
    if isinstance(value, syntax.Number):
        return value.text
    if isinstance(value, syntax.Ref):
        return [shown(value.head), "[]", *map(shown, value.keys)]
    if isinstance(value, syntax.Set | syntax.Array):
        return [type(value).__name__, *map(shown, value.items)]
    return type(value).__name__


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a + b * c - d", ["minus", ["plus", "a", ["mul", "b", "c"]], "d"]),
        ("a | b & c == d", ["equal", ["or", "a", ["and", "b", "c"]], "d"]),
        ("x in xs == y", ["internal.member_2", "x", ["equal", "xs", "y"]]),
        ("k, v in xs", ["internal.member_3", "k", "v", "xs"]),
        ("x := y = z", None),
        ("a -1", ["minus", "a", "1"]),
        ("-1 + a", ["plus", "-1", "a"]),
        ("x.y[z].w", ["x", "[]", "'y'", "z", "'w'"]),
        ("f(a)[b]", [["f", "a"], "[]", "b"]),
        ("input.if.contains", ["input", "[]", "'if'", "'contains'"]),
        ("contains(a, b)", ["contains", "a", "b"]),
        ("set()", ["Set"]),
        ("{a | b, c}", ["Set", ["or", "a", "b"], "c"]),
        ("{}", "Object"),
        ("{a | b}", "SetComprehension"),
        ("{a: b | c}", "ObjectComprehension"),
        ("[a + 1 | c]", "ArrayComprehension"),
        ("(a == b)", ["equal", "a", "b"]),
        ("1.50e3", "1.50e3"),
        ('"a\\u00e9\\n"', repr("aé\n")),
        ("`a\\n`", repr("a\\n")),
    ],
)
def test_terms_are_what_they_bind(text: str, tree: Any) -> None:
    if tree is None:
        with pytest.raises(ExpressionError, match="unexpected '='"):
            query(text)
    else:
        assert shown(term(text)) == tree


def test_space_ends_a_reference() -> None:
    with pytest.raises(ExpressionError, match="expected a new line"):
        query("xs [0]")
    assert len(query("xs\n[0]")) == 2


def test_a_template_has_its_texts_and_expressions() -> None:
    found = term('$"a \\{ {f("}")} \\n{x with input as 1}"')
    assert isinstance(found, syntax.Template)
    assert found.parts[0] == "a { "
    assert found.parts[2] == " \n"
    inner = found.parts[3]
    assert isinstance(inner, Expression)
    assert len(inner.modifiers) == 1
    assert term("$`a\\{b{c}`").parts[0] == "a{b"


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("p := 1", ("p", None, False, 0)),
        ("p if true", ("p", None, False, 1)),
        ("p contains x if { x := 1 }", ("p", None, True, 1)),
        ("f(x) := y if { y := x }", ("f", 1, False, 1)),
        ("p[x] := 1 if { x := 2; true }", ("p", None, False, 2)),
        ("default p := false", ("p", None, False, 0)),
        ("p.q.r contains 1", ("p", None, True, 0)),
        ("p if {x: 1 | x := 2}", ("p", None, False, 1)),
    ],
)
def test_rules_of_version_1(text: str, form: Any) -> None:
    [rule] = rules(text)
    arity = None if rule.arguments is None else len(rule.arguments)
    assert (rule.name, arity, rule.member is not None, len(rule.body)) == form


def test_chains_and_several_bodies() -> None:
    [rule] = rules("p := 1 if { a } else := 2 if { b } else := 3")
    assert [len(branch.body) for branch in rule.otherwise] == [1, 0]
    assert len(rules("p { a } { b } { c }", version=0)) == 3


def test_version_0_makes_sets_of_brackets() -> None:
    assert rules("p[x] { x := 1 }", version=0)[0].member is not None
    assert rules("import future.keywords.if\np[x] if { x := 1 }", version=0)[0].member is None
    assert rules("p[x] = y { x := 1; y := 2 }", version=0)[0].member is None
    assert rules("every := 1\nin := 2", version=0)[1].name == "in"
    assert module("package p\nimport rego.v1\np if true", version=0).version == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("p { true }", "'if' keyword is required"),
        ("p[x]", "'contains' keyword is required"),
        ("p", "a rule needs a value or a body"),
        ("p if { }", "a body is empty"),
        ("p := 1 q := 2", "expected a new line"),
        ("p := [1 2]", "expected ','"),
        ('p := "a', "a string is not closed"),
        ("p := 'a'", "illegal token"),
        ('p := "\\q"', "illegal escape"),
        ("p if { some 1 }", "some declares variables"),
        ("p if { every 1 in x { true } }", "every declares variables"),
        ("p if { x with 1 as 2 }", "with changes input"),
        ("p contains 1 else := 2", "a set has no else"),
        ("import foo.bar", "a path begins with input or data"),
        ("import future.keywords.nope", "unknown keyword"),
        ("1 := 2", "a rule begins with its name"),
        ('p := $"{a', "a template string is not closed"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, message: str) -> None:
    with pytest.raises(ExpressionError, match=message) as told:
        rules(text)
    assert told.value.where.startswith("m.rego:2:")
    assert told.value.message.startswith("rego_parse_error")


@pytest.mark.parametrize("sign", ["[", "{", "(", "{a|", "[a|", "f(", '$"{', "-", "{a:"])
def test_depth_is_bounded(sign: str) -> None:
    with pytest.raises(ExpressionError):
        rules("p := " + sign * 5_000)


def test_comments_are_kept_with_their_places() -> None:
    found = module("# METADATA\n# title: x\npackage p\np := 1 # why\n")
    assert [text for _, text in found.comments] == [" METADATA", " title: x", " why"]


def test_opa_s_own_cases_are_read() -> None:
    count = 0
    for line in (folder("policy", "opa-compliance") / "cases.jsonl").read_text().splitlines():
        case = json.loads(line)
        query(case["query"])
        for text in case.get("modules") or ():
            module(text)
            count += 1
    assert count > 2_000


def test_the_library_of_gatekeeper_is_read() -> None:
    found = sorted(folder("policy", "gatekeeper-library").rglob("*.rego"))
    for path in found:
        module(path.read_text(), version=0)
    assert len(found) > 100
