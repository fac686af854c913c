"""Types before evaluation: what a server refuses is refused in its words, and what is only found out later is let through."""

from __future__ import annotations

import pytest

from bulkhead.bootstrap import catalogue as loading
from bulkhead.core.errors import ExpressionError
from bulkhead.engines.cel.check import check
from bulkhead.engines.cel.parser import parse
from bulkhead.engines.cel.types import DYN, Type, shown

SCOPE: dict[str, Type] = {"object": DYN, "names": ("list", "string"), "count": "int", "variables.x": "bool"}


def kind(text: str) -> str:
    return shown(check(text, parse(text), SCOPE, {}))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1 + 2", "int"), ("1.5 * 2.0", "double"), ("'a' + 'b'", "string"), ("'a' + object.b", "string"), ("object.a + 1", "int"),
        ("object.a + object.b", "dyn"), ("1 < 2.0", "bool"), ("object.a == 'x'", "bool"), ("object.a", "dyn"), ("names.map(n, n.size())", "list(int)"),
        ("names.all(n, n.startsWith('a'))", "bool"), ("names.filter(n, n != '')", "list(string)"), ("[1, 'a']", "list(dyn)"),
        ("{'a': 1}", "map(string, int)"), ("{'a': 1}.a", "int"), ("quantity('1Gi').isLessThan(quantity('2Gi'))", "bool"),
        ("sign(quantity('1'))", "int"), ("object.?a.orValue(1)", "dyn"), ("cel.bind(x, 1, x + 1)", "int"), ("true ? 1 : 2", "int"),
        ("timestamp('2026-01-01T00:00:00Z') + duration('1h')", "google.protobuf.Timestamp"), ("variables.x", "bool"), ("'a' in names", "bool"),
        ("has(object.a)", "bool"), ("type(1) == int", "bool"), ("format.dns1123Label().validate('a').hasValue()", "bool"), ("-count", "int"),
    ],
)  # fmt: skip
def test_types_are_known_as_far_as_they_can_be(text: str, told: str) -> None:
    assert kind(text) == told


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("1 == 'a'", "found no matching overload for '_==_' applied to '(int, string)'", 3),
        ("1 + 'a'", "found no matching overload for '_+_' applied to '(int, string)'", 3),
        ("nothing.at == 1", "undeclared reference to 'nothing' (in container '')", 1),
        ("object.a.nosuch()", "undeclared reference to 'nosuch' (in container '')", 16),
        ("nosuch(1)", "undeclared reference to 'nosuch' (in container '')", 7),
        ("variables.y", "undefined field 'y'", 10),
        ("quantity('1').sign() == 1", "found no matching overload for 'sign' applied to 'kubernetes.Quantity.()'", 19),
        ("names.all(n, n > 1)", "found no matching overload for '_>_' applied to '(string, int)'", 16),
        ("count.startsWith('a')", "found no matching overload for 'startsWith' applied to 'int.(string)'", 17),
        ("!count", "found no matching overload for '!_' applied to '(int)'", 1),
        ("count && true", "found no matching overload for '_&&_' applied to '(int, bool)'", 7),
        (
            "count.all(x, x)",
            "expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)",
            1,
        ),
        ("'a'.matches('[')", "invalid matches argument", 13),
    ],
)
def test_what_cannot_be_is_refused_in_the_server_s_words(text: str, message: str, column: int) -> None:
    with pytest.raises(ExpressionError) as told:
        kind(text)
    assert told.value.message == message
    assert told.value.facts["column"] == column


def test_no_expression_of_the_catalogue_that_is_evaluated_is_refused_for_its_operators() -> None:
    """Names are the catalogue's own; the check must not be stricter than what is known to work."""
    refused = {}
    for control in loading.load().controls:
        for one in control.checks:
            try:
                kind(one.expression)
            except ExpressionError as error:
                refused[control.id] = error.message
    assert {
        name: said
        for name, said in refused.items()
        if "undeclared reference" not in said and "undefined field" not in said
    } == {}
