"""CEL under random text and random trees: only the two errors ever leave it, and the generated code agrees with a
plain tree-walking evaluator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bulkhead.core.errors import ExpressionError
from bulkhead.core.resource import UNKNOWN
from bulkhead.engines.cel import runtime
from bulkhead.engines.cel.program import compile as compile_expression
from bulkhead.engines.cel.runtime import CelError, CostExceeded, NoSuchKey, NoSuchOverload, UnknownValue

VARIABLES = frozenset({"pod", "u", "n", "s", "xs"})
BINDINGS: dict[str, Any] = {
    "pod": {"a": {"b": 1, "c": None}, "s": "text", "l": [1, "x", None, {"a": True}], "t": True, "u": UNKNOWN},
    "u": UNKNOWN,
    "n": 3,
    "s": "abc",
    "xs": [1, 2, 3, "a"],
}
KINDS: tuple[type[CelError], ...] = (CostExceeded, UnknownValue, NoSuchKey, NoSuchOverload, CelError)

_WORDS = [
    r"pod",
    r"u",
    r"n",
    r"s",
    r"xs",
    r"a",
    r"b",
    r"true",
    r"false",
    r"null",
    r"1",
    r"2u",
    r"1.5",
    r"'x'",
    r"b'y'",
    r"r'\'",
    r"(",
    r")",
    r"[",
    r"]",
    r"{",
    r"}",
    r".",
    r",",
    r"?",
    r":",
    r"!",
    r"-",
    r"+",
    r"*",
    r"/",
    r"%",
    r"<",
    r">",
    r"<=",
    r"==",
    r"!=",
    r"&&",
    r"||",
    r"in",
    r".?",
    r"[?",
    r"{?",
    r"has(",
    r"size(",
    r"all(",
    r".exists(x,",
    r".map(x,",
    r".filter(x,",
    r".orValue(",
    r".hasValue()",
    r"optional.of(",
    r"optional.none()",
    r"cel.bind(x,",
    r".matches(",
    r".startsWith(",
    r".split(",
    r".format(",
    r".substring(",
    r".optMap(x,",
    r"int(",
    r"string(",
    r"double(",
    r"timestamp(",
    r"duration(",
    r"quantity(",
    r"ip(",
    r"url(",
    r"semver(",
    r".sort()",
    r".sum()",
    r".flatten()",
    r".min()",
    r"base64.decode(",
    r"math.greatest(",
    r"sets.contains(",
    r"lists.range(",
    r".transformMap(k,",
    r"v,",
    r".getHours(",
    r".find(",
    r"type(",
    r"bytes(",
    r".replace(",
    r".join(",
    r".indexOf(",
    r".slice(",
    r".sortBy(x,",
]


def _attempt(text: str) -> None:
    try:
        program = compile_expression(text, variables=VARIABLES)
    except ExpressionError:
        return
    try:
        program.evaluate(BINDINGS)
    except CelError:
        return


@settings(deadline=None)
@given(st.text(max_size=80))
def test_random_text(text: str) -> None:
    _attempt(text)


@settings(deadline=None)
@given(st.binary(max_size=80))
def test_random_bytes(data: bytes) -> None:
    _attempt(data.decode("latin-1"))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(_WORDS), max_size=14))
def test_random_words(words: list[str]) -> None:
    _attempt(" ".join(words))


_ARGUMENTS = st.sampled_from(
    [
        r"pod",
        r"u",
        r"n",
        r"s",
        r"xs",
        r"1",
        r"0",
        r"-1",
        r"9223372036854775807",
        r"2u",
        r"1.5",
        r"1e308",
        r"(0.0/0.0)",
        r"''",
        r"'a'",
        r"'[a'",
        r"'1Gi'",
        r"'10.0.0.0/8'",
        r"'1.2.3'",
        r"b''",
        r"b'\xff'",
        r"[]",
        r"[1]",
        r"['a']",
        r"[[1],[2]]",
        r"[u]",
        r"{}",
        r"{'a':1}",
        r"null",
        r"true",
        r"timestamp(0)",
        r"duration('1s')",
        r"optional.of(1)",
        r"optional.none()",
        r"int",
        r"quantity('1')",
        r"ip('::1')",
        r"cidr('::/0')",
        r"url('/a')",
        r"semver('1.0.0')",
        r"'2024-01-01T00:00:00Z'",
        r"'https://a/?b=%20'",
        r"'+05:30'",
        r"'Europe/Rome'",
        r"'../x'",
        r"'\u0000é😀'",
        r"'%s%d'",
    ]
)


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_every_function_with_any_arguments(data: st.DataObject) -> None:
    from bulkhead.engines.cel.library import FUNCTIONS, MEMBERS, METHODS

    shapes = sorted({(name, count, False) for name, count in FUNCTIONS if name[0] != "@"})
    shapes += sorted({(name, count, True) for name, count in METHODS})
    shapes += sorted((name, count, True) for name, count in MEMBERS.items())
    name, count, receiver = data.draw(st.sampled_from(shapes))
    arguments = [data.draw(_ARGUMENTS) for _ in range(count)]
    call = f"{name}({', '.join(arguments)})"
    # dyn() of a ternary keeps the arguments from being folded away.
    _attempt(f"{data.draw(_ARGUMENTS)}.{call}" if receiver else call)
    variable = f"(n == 3 ? {data.draw(_ARGUMENTS)} : null)"
    _attempt(f"{variable}.{call}" if receiver else call.replace("(", f"({variable}, ", 1))


# A tree is a pair: its text, and a function of the environment that walks it.

Environment = dict[str, Any]
Tree = tuple[str, Callable[[Environment], Any]]


def _select(operand: Any, field: str) -> Any:
    return runtime.select(operand, field)


def _logical(decides: bool, trees: list[Tree]) -> Callable[[Environment], Any]:
    def walk(environment: Environment) -> Any:
        failed: Exception | None = None
        for _, operand in trees:
            try:
                value = operand(environment)
                if value is decides:
                    return decides
                runtime.boolean(value)
            except CelError as error:
                failed = failed or error
        if failed is not None:
            raise failed
        return not decides

    return walk


def _ternary(test: Tree, then: Tree, otherwise: Tree) -> Tree:
    def walk(environment: Environment) -> Any:
        return (then if runtime.boolean(test[1](environment)) else otherwise)[1](environment)

    return f"({test[0]} ? {then[0]} : {otherwise[0]})", walk


def _within(tree: Tree, environment: Environment) -> Tree:
    return tree[0], lambda _: tree[1](environment)


def _quantifier(name: str, over: Tree, body: Tree) -> Tree:
    def walk(environment: Environment) -> Any:
        turns = runtime.elements(over[1](environment))
        trees = [_within(body, environment | {"x": turn}) for turn in turns]
        return _logical(name == "exists", trees)(environment)

    return f"{over[0]}.{name}(x, {body[0]})", walk


def _collect(name: str, over: Tree, body: Tree) -> Tree:
    def walk(environment: Environment) -> Any:
        turns = runtime.elements(over[1](environment))
        if name == "map":
            return [body[1](environment | {"x": turn}) for turn in turns]
        return [turn for turn in turns if runtime.boolean(body[1](environment | {"x": turn}))]

    return f"{over[0]}.{name}(x, {body[0]})", walk


_BINARY = {
    "==": runtime.equals,
    "!=": runtime.differs,
    "<": runtime.less,
    "<=": runtime.less_or_equal,
    ">": runtime.greater,
    ">=": runtime.greater_or_equal,
    "+": runtime.add,
    "-": runtime.subtract,
    "*": runtime.multiply,
    "/": runtime.divide,
    "%": runtime.modulo,
    "in": runtime.contained,
}


def _or_value(field: str, operand: Tree, other: Tree) -> Tree:
    def walk(environment: Environment) -> Any:
        inside = runtime.select_optional(operand[1](environment), field)
        return other[1](environment) if inside is runtime.ABSENT else inside

    return f"{operand[0]}.?{field}.orValue({other[0]})", walk


def _leaf(text: str, value: Any) -> Tree:
    return text, lambda _: value


_LEAVES: list[Tree] = [
    *(
        _leaf(text, value)
        for text, value in [("1", 1), ("0", 0), ("2", 2), ("1.5", 1.5), ("'a'", "a"), ("'abc'", "abc")]
    ),
    *(
        _leaf(text, value)
        for text, value in [("true", True), ("false", False), ("null", None), ("['a', 'x']", ["a", "x"])]
    ),
    *((name, (lambda environment, name=name: environment[name])) for name in ("pod", "u", "n", "s", "xs")),
]
_FIELDS = st.sampled_from(["a", "b", "c", "s", "l", "t", "u", "missing"])


def _grow(trees: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    def binary(operator: str, left: Tree, right: Tree) -> Tree:
        function = _BINARY[operator]
        return f"({left[0]} {operator} {right[0]})", lambda e: function(left[1](e), right[1](e))

    def chain(decides: bool, operands: list[Tree]) -> Tree:
        return f"({(' || ' if decides else ' && ').join(text for text, _ in operands)})", _logical(decides, operands)

    def select(operand: Tree, field: str) -> Tree:
        return f"{operand[0]}.{field}", lambda e: _select(operand[1](e), field)

    def has(operand: Tree, field: str) -> Tree:
        return f"has({operand[0]}.{field})", lambda e: runtime.has_field(operand[1](e), field)

    def index(operand: Tree, key: Tree) -> Tree:
        return f"{operand[0]}[{key[0]}]", lambda e: runtime.index(operand[1](e), key[1](e))

    def listed(items: list[Tree]) -> Tree:
        return f"[{', '.join(text for text, _ in items)}]", lambda e: [walk(e) for _, walk in items]

    def size(operand: Tree) -> Tree:
        return f"size({operand[0]})", lambda e: runtime.size(operand[1](e))

    def inverted(operand: Tree) -> Tree:
        return f"!({operand[0]})", lambda e: runtime.negated(operand[1](e))

    # The number literals need brackets before a selection: 1.a reads as a number.
    safe = trees.map(lambda tree: (f"({tree[0]})", tree[1]))
    selected = st.builds(select, safe, _FIELDS) | st.builds(select, st.just(_LEAVES[10]), _FIELDS)
    return st.one_of(
        st.builds(binary, st.sampled_from(sorted(_BINARY)), trees | selected, trees),
        st.builds(chain, st.booleans(), st.lists(trees, min_size=2, max_size=4)),
        selected,
        st.builds(has, safe, _FIELDS),
        st.builds(_or_value, _FIELDS, safe | selected, trees),
        st.builds(index, safe, trees),
        st.builds(listed, st.lists(trees, max_size=3)),
        st.builds(size, trees),
        st.builds(inverted, trees),
        st.builds(_ternary, trees, trees, trees),
        st.builds(_quantifier, st.sampled_from(["all", "exists"]), safe, trees),
        st.builds(_collect, st.sampled_from(["map", "filter"]), safe, trees),
    )


def _typed(bools: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    """Trees that mostly make sense: chains, branches and quantifiers over bools, with errors sown in."""

    def chain(decides: bool, operands: list[Tree]) -> Tree:
        return f"({(' || ' if decides else ' && ').join(text for text, _ in operands)})", _logical(decides, operands)

    return st.one_of(
        st.builds(chain, st.booleans(), st.lists(bools, min_size=2, max_size=4)),
        st.builds(_ternary, bools, bools, bools),
        st.builds(_quantifier, st.sampled_from(["all", "exists"]), st.sampled_from(_LISTS), bools),
        st.builds(
            _quantifier,
            st.just("exists"),
            st.builds(_collect, st.just("filter"), st.sampled_from(_LISTS), bools),
            bools,
        ),
    )


def _plain_comparison(operator: str, left: Tree, right: Tree) -> Tree:
    function = _BINARY[operator]
    return f"{left[0]} {operator} {right[0]}", lambda e: function(left[1](e), right[1](e))


_LISTS: list[Tree] = [_leaf("[1, 2]", [1, 2]), _leaf("[]", []), _leaf("[0, 'a', null]", [0, "a", None]), _LEAVES[14]]
_X: Tree = ("x", lambda environment: environment["x"])
_TREES = st.recursive(st.sampled_from([*_LEAVES, _X]), _grow, max_leaves=12)


_ATOMS = st.sampled_from([*_LEAVES, _X, _X, _X])
_BOOLS = st.recursive(
    st.builds(_plain_comparison, st.sampled_from(["==", "!=", "<", "in", "==", "!="]), _ATOMS, _ATOMS)
    | st.builds(_or_value, _FIELDS, st.just(_LEAVES[10]), st.sampled_from(_LEAVES[6:8]))
    | st.sampled_from(_LEAVES[6:8]),
    _typed,
    max_leaves=16,
)


def _outcome(compute: Callable[[], Any]) -> Any:
    try:
        return repr(compute())
    except CelError as error:
        return next(kind.__name__ for kind in KINDS if isinstance(error, kind))


@settings(max_examples=600, deadline=None)
@given(_TREES | _BOOLS | _BOOLS)
def test_generated_code_agrees_with_a_tree_walk(tree: Tree) -> None:
    text, walk = tree
    environment = BINDINGS | {"x": 7}
    program = compile_expression(text, variables=VARIABLES | {"x"})

    def walked() -> Any:
        value = walk(environment)
        if value is UNKNOWN:
            raise UnknownValue("result")
        return value

    computed, wanted = _outcome(lambda: program.evaluate(environment)), _outcome(walked)
    if computed != wanted:
        # Which of several errors is told is free; that there is one is not.
        names = {kind.__name__ for kind in KINDS}
        assert computed in names, (text, computed, wanted, program.python)
        assert wanted in names, (text, computed, wanted, program.python)
