"""What compiles, what does not, and how that is said."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bulkhead.core.errors import ExpressionError
from bulkhead.engines.cel.program import Function, load
from bulkhead.engines.cel.program import compile as compile_expression
from bulkhead.engines.cel.runtime import UnknownValue


def fails(expression: str) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(expression, variables=frozenset({"container", "pod"}))
    return caught.value


@pytest.mark.parametrize(
    ("expression", "line", "column", "words"),
    [
        ("", 1, 1, "unexpected end"),
        ("1 +", 1, 4, "unexpected end"),
        ("pod.\n  x y", 2, 5, "after the expression"),
        ("containr.x", 1, 1, "did you mean 'container'"),
        ("pod.startWith('x')", 1, 4, "did you mean 'startsWith'"),
        ("pod.charAt()", 1, 4, "it takes 1"),
        ("'abc", 1, 1, "not closed"),
        ("pod = 1", 1, 5, "write =="),
        ("'\\q'", 1, 1, "escape"),
        ("9223372036854775808", 1, 1, "out of range"),
        ("pod.all(1, true)", 1, 9, "plain name"),
        ("has(pod)", 1, 1, "field selection"),
        ("for", 1, 1, "reserved"),
        ("Pod{a: 1}", 1, 1, "message type"),
        ("pod.matches('(')", 1, 4, "regular expression"),
        ("pod.exists(p, pod.matches('(?=a)'))", 1, 18, "regular expression"),
        ("x", 1, 1, "known: container, pod"),
        ("false ? nothing : 1", 1, 9, "unknown variable"),
    ],
)
def test_refusals_say_where(expression: str, line: int, column: int, words: str) -> None:
    error = fails(expression)
    assert (error.facts["line"], error.facts["column"]) == (line, column)
    assert words in str(error)


@pytest.mark.parametrize(
    "expression",
    [
        "(" * 1000 + "1" + ")" * 1000,
        "[" * 1000,
        "!" * 1000 + "true",
        "-" * 5000 + "pod",
        "pod" + ".a" * 1000,
        "pod" + "[0]" * 1000,
        "1" + " + 1" * 5000,
        "true ? " * 500 + "1" + " : 1" * 500,
        "(" * 30 + "pod" + (".a" * 30 + ")") * 30,
        "'" + "x" * 70000 + "'",
        "[" + "1," * 20000 + "]",
        "9" * 5000,
    ],
)
def test_bounds(expression: str) -> None:
    fails(expression)


def test_a_long_flat_chain_is_fine() -> None:
    program = compile_expression(" || ".join(["pod == 1"] * 1000), variables=frozenset({"pod"}))
    assert program.evaluate({"pod": 2}) is False


def test_identifiers_are_those_used() -> None:
    program = compile_expression("[1].all(x, x == pod.a)", variables=frozenset({"pod", "container", "x"}))
    assert program.identifiers == {"pod"}
    assert program.source == "[1].all(x, x == pod.a)"


def test_own_functions() -> None:
    functions = {
        "image": Function("image", False, lambda text: {"tag": text.partition(":")[2]}, 1),
        "rbac.who_can": Function("rbac.who_can", False, lambda verb, what: [verb + what]),
        "twice": Function("twice", True, lambda value: value * 2, 0),
    }
    expression = "image(c).tag == '1' && rbac.who_can('get', 'x') == ['getx'] && 2.twice() == 4"
    program = compile_expression(expression, variables=frozenset({"c", "u"}), functions=functions)
    assert program.evaluate({"c": "a:1"}) is True
    assert load(expression, program.python, functions=functions).evaluate({"c": "a:2"}) is False
    with pytest.raises(ExpressionError, match="does not take 2"):
        compile_expression("image(1, 2)", variables=frozenset(), functions=functions)
    from bulkhead.core.resource import UNKNOWN

    with pytest.raises(UnknownValue):
        compile_expression("image(u)", variables=frozenset({"u"}), functions=functions).evaluate({"u": UNKNOWN})


def test_user_text_never_reaches_the_code() -> None:
    hostile = "'\\'); __import__(\\'os\\')\\n#' == pod.`a b` || 'é\U0001f600' in ['x', '\\n']"
    program = compile_expression(hostile, variables=frozenset({"pod"}))
    assert program.python.isascii()
    assert program.evaluate({"pod": {"a b": "'); __import__('os')\n#"}}) is True
    with pytest.raises(ValueError, match="identifier"):
        compile_expression("1", variables=frozenset({"a b"}))


def test_dotted_variables() -> None:
    program = compile_expression("facts.rbac.count + a_b", variables=frozenset({"facts.rbac", "a_b"}))
    assert program.evaluate({"facts.rbac": {"count": 2}, "a_b": 1}) == 3


def test_import_is_cheap() -> None:
    code = (
        "import sys; from bulkhead.engines.cel import program; "
        "print(sorted({'re2', 'ipaddress', 'base64', 'urllib.parse', 'difflib', 'zoneinfo', 'inspect'} & set(sys.modules)))"
    )
    out = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "re2" not in out.stdout
    assert "ipaddress" not in out.stdout
