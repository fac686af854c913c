"""Values and errors of the language, one expression per line."""

from __future__ import annotations

import marshal
from typing import Any

import pytest

from bulkhead.core.resource import UNKNOWN
from bulkhead.engines.cel.program import compile as compile_expression
from bulkhead.engines.cel.program import load
from bulkhead.engines.cel.runtime import CelError, CostExceeded, NoSuchKey, NoSuchOverload, UnknownValue

BINDINGS: dict[str, Any] = {
    "c": {
        "name": "app",
        "image": "nginx:1.25",
        "securityContext": {"privileged": True, "capabilities": None, "seccomp": UNKNOWN},
        "ports": [{"containerPort": 80}, {"containerPort": 443, "hostPort": 443}],
        "empty": None,
    },
    "u": UNKNOWN,
    "mixed": ["a", UNKNOWN, 3],
    "numbers": [3, 1, 2],
    "longer": ["a"] * 1000,
    "longest": "a" * 100_000,
}


def evaluate(expression: str, **bindings: Any) -> Any:
    values = BINDINGS | bindings
    program = compile_expression(expression, variables=frozenset(values))
    result = program.evaluate(values)
    again = load(expression, program.python, code=marshal.loads(marshal.dumps(program.code)))
    assert again.identifiers == program.identifiers
    assert repr(again.evaluate(values)) == repr(result)
    return result


TRUE = """
c.?securityContext.?privileged.orValue(false) == true
c.?securityContext.?missing.orValue(false) != true
c.?securityContext.?capabilities.?drop.orValue([]) == []
c.?empty.?deeper.hasValue() == false
c.?empty.hasValue()
c.empty == null
c.empty.?x.orValue('none') == 'none'
!c[?'nothing'].hasValue() && c[?'name'].value() == 'app'
has(c.securityContext.seccomp)
has(c.empty) && !has(c.nothing)
1 == 1.0 && 1u == 1 && 1 != 2
1 != dyn('1') && dyn(true) != 1 && dyn(null) != 0 && [1] != [true]
[1, 2.0] == [1.0, 2u] && {'a': 1} == {'a': 1.0}
{true: 'yes', 1: 'one'}[true] == 'yes' && {true: 'yes', 1: 'one'}[1] == 'one'
1 in {1: 2} && 1.0 in {1: 2} && !(true in {1: 2})
'a' in mixed
3 in mixed
mixed.exists(m, m == 'a')
false && u == 1 || true
u == 1 || true
!(1 / 0 == 1 && false)
c.ports.exists(p, has(p.hostPort)) && !c.ports.all(p, has(p.hostPort))
c.ports.exists_one(p, p.?hostPort.orValue(0) > 0)
c.ports.map(p, p.containerPort) == [80, 443]
c.ports.map(p, has(p.hostPort), p.hostPort) == [443]
c.ports.filter(p, p.containerPort < 100).size() == 1
[1, 2].transformList(i, v, i + v) == [1, 3] && {'a': 1}.transformMap(k, v, k + string(v)) == {'a': 'a1'}
[3, 1].exists(i, v, i == v) && {'a': 'a'}.all(k, v, k == v) && [0, 5].existsOne(i, v, i == v)
{'a': 1}.transformMapEntry(k, v, {string(v): k}) == {'1': 'a'}
cel.bind(x, 2, cel.bind(y, x + 1, x * y)) == 6
numbers.sort() == [1, 2, 3] && numbers.sortBy(n, -n) == [3, 2, 1] && numbers.max() == 3 && numbers.sum() == 6
[[1], [2, [3]]].flatten() == [1, 2, [3]] && [1, 1, 2].distinct() == [1, 2] && lists.range(3) == [0, 1, 2]
numbers.first().value() == 3 && numbers.last().orValue(0) == 2 && numbers.slice(1, 3) == [1, 2]
sets.contains([1, 2], [2]) && sets.intersects(['a'], ['a', 'b']) && sets.equivalent([1, 1.0], [1u])
[?optional.of(1), ?optional.none()] == [1] && {?'a': optional.none(), 'b': 1} == {'b': 1}
optional.of(2).optMap(x, x + 1).value() == 3 && !optional.none().optFlatMap(x, optional.of(x)).hasValue()
optional.none().or(optional.of(1)) == optional.of(1) && optional.ofNonZeroValue('') == optional.none()
(true ? optional.of(1) : optional.none()).orValue(0) == 1
(c.name == 'app' ? c.?image : c.missing.?image).orValue('') == 'nginx:1.25'
-7 / 2 == -3 && -7 % 2 == -1 && 7.0 / 0.0 > 1.0
-9223372036854775808 < 0
'a' + 'b' == 'ab' && [1] + [2] == [1, 2] && b'a' + b'b' == b'ab'
c.image.startsWith('nginx') && c.image.endsWith('25') && c.image.contains(':') && c.image.matches('^nginx:[0-9.]+$')
!'a\\n'.matches('a$') && 'xay'.matches('a') && 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'.matches('^(a+)+$') == false
'a.b'.split('.') == ['a', 'b'] && ['a', 'b'].join('-') == 'a-b' && ' x '.trim() == 'x' && 'abc'.substring(1) == 'bc'
'%s-%d'.format(['a', 3]) == 'a-3' && 'abc'.reverse() == 'cba' && 'A'.lowerAscii() == 'a' && 'aXa'.replace('a', '') == 'X'
'abc 123'.find('[0-9]+') == '123' && '1 2'.findAll('[0-9]') == ['1', '2'] && 'abc'.indexOf('c') == 2
math.greatest(1, 2.5, 2u) == 2.5 && math.least([3, 1]) == 1 && math.ceil(1.2) == 2.0 && math.abs(-3) == 3
quantity('1Gi').isGreaterThan(quantity('1G')) && quantity('500m').compareTo(quantity('0.5')) == 0
quantity('1k').asInteger() == 1000 && quantity('1').add(quantity('2')).sub(1) == quantity('2') && !isQuantity('1Q')
quantity('0.1n') == quantity('1n') && quantity('-1.5e-9') == quantity('-2n') && quantity('1e3') == quantity('1k')
quantity('.5Ki') == quantity('512') && quantity('1E') == quantity('1000P') && isQuantity('1.') && !isQuantity('') && !isQuantity('1 k')
'PassWord'.matches('(?i)password|secret') && '\u212a'.matches('(?i)k') && !'\u212a'.matches('k')
quantity('-1').sign() == -1 && quantity('1500m').asApproximateFloat() == 1.5
url('https://a.example:80/x?y=1').getHost() == 'a.example:80' && url('http://[::1]:2/').getHostname() == '::1'
isURL('https://x/') && !isURL('x') && url('/p').getEscapedPath() == '/p' && url('/p?a=1&a=2').getQuery()['a'] == ['1', '2']
url('https://example.com/path with spaces/').getEscapedPath() == '/path%20with%20spaces/' && !isURL('https://a b/')
ip('127.0.0.1').isLoopback() && cidr('10.0.0.0/8').containsIP('10.1.1.1') && !isIP('x') && isCIDR('::/0')
semver('1.2.3').isLessThan(semver('1.10.0')) && semver('1.0.0-rc.1').compareTo(semver('1.0.0')) == -1
semver('v1.2', true).minor() == 2 && !isSemver('1.2') && isSemver('1.2.3+b')
base64.decode(base64.encode(b'x')) == b'x' && string(b'x') == 'x' && int('12') == 12 && double('1.5') == 1.5
timestamp('2024-02-29T12:00:00Z').getFullYear() == 2024 && duration('90m').getHours() == 1
timestamp('2024-01-02T00:00:00Z') - timestamp('2024-01-01T00:00:00Z') == duration('24h')
timestamp('2024-01-01T00:00:00Z') + duration('1.5s') == timestamp('2024-01-01T00:00:01.5Z')
type(1) == int && type('') == string && type({}) == map && type(null) == null_type
string(1.0) == '1' && string(true) == 'true' && string(duration('1m')) == '60s'
r'\\d' == '\\\\d' && '\\u00e9' == 'é' && b'\\xff' != b'\\x00' && '''a
b'''.size() == 3
c.`name` == 'app' && c['name'] == c.name
size(c.ports) == 2 && size('é') == 1 && c.ports[1].containerPort == 443
1 < 2.5 && 2u > 1 && 'a' < 'b' && false < true && b'a' <= b'b'
// a comment
"""


def expressions(text: str) -> list[str]:
    lines = text.strip().split("\n")
    joined: list[str] = []
    for line in lines:
        if joined and joined[-1].count("'''") % 2:
            joined[-1] += "\n" + line
        elif not line.startswith("//"):
            joined.append(line)
    return joined


@pytest.mark.parametrize("expression", expressions(TRUE))
def test_true(expression: str) -> None:
    assert evaluate(expression) is True


@pytest.mark.parametrize(
    ("expression", "error"),
    [
        ("c.missing", NoSuchKey),
        ("has(c.missing.x)", NoSuchKey),
        ("c.empty.x", NoSuchOverload),
        ("has(c.empty.x)", None),
        ("c.ports[2]", NoSuchKey),
        ("c['missing']", NoSuchKey),
        ("c.ports['x']", NoSuchOverload),
        ("1 + dyn(1.0)", NoSuchOverload),
        ("dyn(1) < 'a'", NoSuchOverload),
        ("true + false", NoSuchOverload),
        ("!dyn(1)", NoSuchOverload),
        ("c.name && true", NoSuchOverload),
        ("true && c.name", NoSuchOverload),
        ("false || c.missing == 1", NoSuchKey),
        ("1 / 0 == 1 || false", CelError),
        ("9223372036854775807 + 1", CelError),
        ("-9223372036854775807 - 2", CelError),
        ("int('x')", CelError),
        ("[1, 2].all(x, x / 0 == 1)", CelError),
        ("c.all(x, x == 1 || c[x] == 1 / 0)", CelError),
        ("5.exists(x, true)", NoSuchOverload),
        ("optional.none().value()", CelError),
        ("{1: 1, 1: 2}", CelError),
        ("u", UnknownValue),
        ("u.a", UnknownValue),
        ("u.?a.orValue(1)", UnknownValue),
        ("has(u.a)", UnknownValue),
        ("u == 1", UnknownValue),
        ("u != null", UnknownValue),
        ("u == true", UnknownValue),
        ("u == 'a'", UnknownValue),
        ("1 == u", UnknownValue),
        ("u in ['a']", UnknownValue),
        ("'z' in mixed", UnknownValue),
        ("mixed == ['a', 'b', 3]", UnknownValue),
        ("mixed.all(m, m != 'z')", UnknownValue),
        ("u.exists(x, true)", UnknownValue),
        ("size(u)", UnknownValue),
        ("u.startsWith('a')", UnknownValue),
        ("u.matches('a')", UnknownValue),
        ("u + 1", UnknownValue),
        ("u < 1", UnknownValue),
        ("u ? 1 : 2", UnknownValue),
        ("!u", UnknownValue),
        ("u && true", UnknownValue),
        ("int(u)", UnknownValue),
        ("type(u)", UnknownValue),
        ("u[0]", UnknownValue),
        ("c[u]", UnknownValue),
        ("c.securityContext.seccomp.type == 'x'", UnknownValue),
        ("c.securityContext.?seccomp.?type.orValue('') == 'x'", UnknownValue),
        ("lists.range(1000).all(a, lists.range(1000).all(b, lists.range(1000).all(d, true)))", CostExceeded),
        ("lists.range(1000000).all(a, true) && lists.range(2).all(a, true) || true", CostExceeded),
        ("lists.range(1000000).all(a, lists.range(1000000).size() > 0)", CostExceeded),
        ("lists.range(100000).all(a, !('z' in longer))", CostExceeded),
        ("lists.range(100000).all(a, (longest + longest).size() > 0)", CostExceeded),
        ("cel.bind(a, c.name + 'x', " * 30 + "a" + ")" * 30 + " == 1", None),
    ],
)
def test_error(expression: str, error: type[CelError] | None) -> None:
    if error is None:
        assert evaluate(expression) is False
        return
    with pytest.raises(error) as caught:
        evaluate(expression)
    assert type(caught.value) is error or error is CelError


def test_growth_is_bounded() -> None:
    text = "x"
    for _ in range(40):
        text = f"cel.bind(x, x + x, {text})"
    with pytest.raises(CostExceeded):
        evaluate(text, x="0123456789")
    nested = "x == y"
    for _ in range(18):
        nested = f"cel.bind(x, [x, x, x], cel.bind(y, [y, y, y], {nested}))"
    with pytest.raises(CostExceeded):
        evaluate(nested, x=[1.5], y=[1.5])


def test_a_binding_that_is_not_there() -> None:
    program = compile_expression("a + b", variables=frozenset({"a", "b"}))
    with pytest.raises(CelError, match="no value is bound to b"):
        program.evaluate({"a": 1})


@pytest.mark.parametrize(
    "shape", ["({} && true)", "[1].all(x, {})", "({} ? true : false)", "optional.of(1).optMap(y, {}).value()"]
)
def test_nesting_deeper_than_python_allows(shape: str) -> None:
    text = "c.name == 'app'"
    for _ in range(25):
        text = shape.replace("{}", text)
    assert evaluate(text) is True


def test_variables_inside_outlined_parts() -> None:
    text = "cel.bind(k, c, k.name == 'app' && outer == 'o' && numbers == [3, 1, 2])"
    for _ in range(12):
        text = f"(false || [1].exists(x, {text}))"
    assert evaluate(f"['o'].all(outer, {text})") is True
