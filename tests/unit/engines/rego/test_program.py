"""Plans as programs: what they answer, how they are bounded, and what they refuse."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from bulkhead.core.errors import ExpressionError, ParseError
from bulkhead.engines.rego import ir, plans
from bulkhead.engines.rego.builtins import TABLE, Builtin, Context
from bulkhead.engines.rego.compile.planner import plan
from bulkhead.engines.rego.errors import BudgetError, BuiltinError, ConflictError, PortError
from bulkhead.engines.rego.parser.modules import module, query
from bulkhead.engines.rego.program import Budget, Program, compile_plan
from bulkhead.engines.rego.values import Set, U
from bulkhead.engines.rego.wire import plain

ARITIES = {name: builtin.arity for name, builtin in TABLE.items()}


def compiled(*texts: str, asked: str = "data.p.q = x", instrumented: bool = False) -> Program:
    made = plan(
        [module("package p\n" + text, f"m{n}") for n, text in enumerate(texts)], {"q": (query(asked), asked)}, ARITIES
    )
    return compile_plan(plans.read(made), instrumented=instrumented)


def answer(text: str, given: Any = U, **more: Any) -> Any:
    found = compiled(text).evaluate("q", given, **more)
    return plain(found[0]["x"]) if found else U


def policy(*blocks: ir.Block, funcs: tuple[ir.Func, ...] = (), strings: tuple[str, ...] = ("a",)) -> ir.Policy:
    return ir.Policy(strings, (), (), (ir.Plan("q", blocks),), funcs)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("q := [x | some x in {3, 1, 2}]", [1, 2, 3]),
        ('q := [k | some k, _ in {"b": 1, "a": 2}]', ["a", "b"]),
        ("q := {x | some x in [2, 1, 2]}", [1, 2]),
        ("q := {1: 2, [3]: 4}", {"1": 2, "[3]": 4}),
        ("q := count({true, 1, 1.0})", 2),
        ("q if not r\nr if input.nothing", True),
        ("q := 1 if input.a\nelse := 2", 2),
        ('f(x) := 1 if x == 1\nf(x) := "b" if x == 2\nq := [f(2), f(1)]', ["b", 1]),
        ('q := x if { x := r with input as {"a": 5} }\nr := input.a', 5),
        ("q := x if { x := r with data.d as 7 }\nr := data.d", 7),
        ("q := [r, s]\nr := x if { x := input with input as 1 }\ns := t\nt := 2", [1, 2]),
        ("q contains x if some x in [1, 1, 2]", [1, 2]),
        ("q if every x in [1, 2] { x < 3 }", True),
        ("q := 10 / 4", 2.5),
        ("q := 0.1 + 0.2", 0.3),
        ("q := 9007199254740993 * 3", 27021597764222979),
        ("default q := 3\nq := 1 if false", 3),
    ],
)  # fmt: skip
def test_answers(text: str, wanted: Any) -> None:
    assert answer(text) == wanted


def test_what_is_undefined_has_no_answer() -> None:
    assert answer("q := input.a.b") is U
    assert answer("q := input.a.b", {"a": []}) is U
    assert answer("q := 1 / 0") is U
    with pytest.raises(BuiltinError, match="divide by zero"):
        compiled("q := 1 / 0").evaluate("q", strict=True)


def test_nothing_of_the_caller_is_changed() -> None:
    given = {"o": {"a": 1}, "xs": [1]}
    text = 'q := object.union(input.o, {"b": array.concat(input.xs, [2])})'
    assert answer(text, given) == {"a": 1, "b": [1, 2]}
    own = ir.Block((ir.DotStmt(source=ir.Local(0), key=ir.StringIndex(0), target=2), ir.ArrayAppendStmt(value=ir.Bool(True), array=2), ir.ResultSetAddStmt(value=2)))  # fmt: skip
    xs = {"a": [1]}
    assert compile_plan(policy(own)).evaluate("q", xs) == ([1, True],)
    assert xs == {"a": [1]}


def test_two_values_of_one_rule_are_a_conflict_that_names_it() -> None:
    with pytest.raises(ConflictError, match=r"data\.p\.q.*must not produce multiple outputs"):
        compiled("q := 1\nq := 2").evaluate("q")
    with pytest.raises(ConflictError, match="functions must not"):
        compiled("f(x) := 1\nf(x) := 2\nq := f(1)").evaluate("q")
    with pytest.raises(ConflictError, match="object keys must be unique"):
        compiled("q[x] := y if { some x in [1]; some y in [1, 2] }").evaluate("q")


def test_a_rule_is_worked_out_once_in_an_evaluation() -> None:
    calls: list[int] = []

    def counted(value: Any) -> Any:
        calls.append(1)
        return value

    table = {**TABLE, "own.counted": Builtin("own.counted", 1, function=counted)}
    texts = "q := [x | some y in [1, 2, 3]; x := [y, r]]\nr := own.counted(4)"
    made = plan([module("package p\n" + texts, "m")], {"q": (query("data.p.q = x"), "")}, {**ARITIES, "own.counted": 1})
    program = compile_plan(plans.read(made), builtins=table)
    assert program.builtins == ("own.counted",)
    for _ in range(2):
        calls.clear()
        assert len(program.evaluate("q")[0]["x"]) == 3
        assert len(calls) == 1


# Budgets


def test_steps_are_bounded_and_the_policy_is_named() -> None:
    text = "q := count([1 | some a in r; some b in r; some c in r; a + b + c > 0])\nr := numbers.range(1, 300)"
    with pytest.raises(BudgetError, match="too many steps"):
        compiled(text).evaluate("q", budget=Budget(steps=100_000))
    deep = "\n".join(
        [f"f{n}(x) := [f{n - 1}(x), f{n - 1}(x)]" for n in range(1, 20)] + ["f0(x) := x", "q := count(f19(1))"]
    )
    with pytest.raises(BudgetError, match="too many steps"):
        compiled(deep).evaluate("q", budget=Budget(steps=50_000))


def test_time_is_bounded_by_the_clock_that_is_given() -> None:
    ticks = iter(range(10_000_000))
    budget = Budget(deadline=5.0, clock=lambda: float(next(ticks)))
    text = "q := count([1 | some a in r; some b in r; a < b])\nr := numbers.range(1, 500)"
    with pytest.raises(BudgetError, match="too long"):
        compiled(text).evaluate("q", budget=budget)


@pytest.mark.parametrize(
    "text",
    [
        "q := numbers.range(1, 1e9)",
        "q := bits.lsh(1, 1e9)",
        'q := count(s9)\ns0 := sprintf("%01000d", [1])\n' + "\n".join(f's{n} := replace(s{n - 1}, "0", s{n - 1})' for n in range(1, 10)),
        'q := net.cidr_expand("::/0")',
        'q := strings.replace_n({"a": "b", "c": "d"}, "x") if walk(r, _)\nr := x if { x := data.deep }',
        "q := yaml.unmarshal(input)",
        "q := json.unmarshal(input)",
    ],
)  # fmt: skip
def test_explosive_built_ins_end_the_evaluation(text: str) -> None:
    given = "[" * 100_000
    if "yaml" in text:
        given = "a: &a [1, 2, 3, 4, 5, 6, 7, 8]\n" + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 8)}]\n" for n in range(8))  # fmt: skip
    deep: Any = []
    for _ in range(600_000 if "walk" in text else 1):
        deep = [deep]
    with pytest.raises(BudgetError):
        compiled(text).evaluate("q", given, {"deep": deep}, budget=Budget(steps=300_000))
    while deep:
        deep = deep[0]


# Ports


@pytest.mark.parametrize(
    "text",
    [
        "q := time.now_ns()",
        'q := http.send({"method": "get", "url": "http://a"})',
        'q := net.lookup_ip_addr("a")',
        'q := rand.intn("a", 5)',
        'q := uuid.rfc4122("a")',
        'q := rego.parse_module("a", "package a")',
        'q if not net.lookup_ip_addr("a")',
    ],
)
def test_what_asks_the_world_is_refused_without_it(text: str) -> None:
    """An evaluation ends, even where an error would be undefined: no answer must look like a no."""
    with pytest.raises(PortError, match="was not given"):
        compiled(text).evaluate("q")


def test_the_world_is_asked_once() -> None:
    asked: list[Any] = []

    def http(request: dict[str, Any]) -> dict[str, Any]:
        asked.append(request)
        return {"status_code": 200}

    context = Context(now=7, random=lambda below: below - 1, http=http, addresses=lambda name: [name], prints=True)
    text = """q := [time.now_ns(), rand.intn("a", 5), uuid.rfc4122("a"), a.status_code, b.status_code]
a := http.send({"method": "get", "url": "u"})
b := http.send({"method": "get", "url": "u"})"""
    [found] = compiled(text).evaluate("q", context=context)
    assert found["x"] == [7, 4, "ffffffff-ffff-4fff-bfff-ffffffffffff", 200, 200]
    assert len(asked) == 1


# Programs


def test_a_program_serves_several_threads() -> None:
    text = "q := [x | some x in {[3], [1], input.a}; not x in s]\ns := {[1], [5]}"
    program = compiled(text)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: program.evaluate("q", {"a": [n]})[0]["x"], range(200)))
    assert answers == [sorted([[3], *([[n]] if n not in {1, 3, 5} else [])]) for n in range(200)]


def test_an_instrumented_program_tells_what_ran() -> None:
    ticks = iter(range(1_000_000))
    budget = Budget(deadline=1e9, clock=lambda: float(next(ticks)))
    text = "q := [x | some x in [1, 2, 3]; x > 1]"
    found = compiled(text, instrumented=True).answer("q", budget=budget)
    assert found.profile is not None
    assert found.results == compiled(text).answer("q").results
    scans = [n for n, spot in enumerate(found.profile.spots) if spot.kind == "ScanStmt"]
    assert [found.profile.counts[n] for n in scans] == [1]
    assert max(found.profile.counts) == 3
    assert sum(found.profile.seconds) > 0
    program = compiled(text)
    assert any(program.spots[n].function.endswith("data.p.q") for n in program.lines if n >= 0)


def test_blocks_may_be_nested_deeper_than_python_allows() -> None:
    block = ir.Block((ir.ResultSetAddStmt(value=2),))
    for number in range(100):
        inner = ir.ScanStmt(source=0, key=3, value=2, block=block) if number % 2 else ir.BlockStmt(blocks=(block,))
        block = ir.Block((ir.IsDefinedStmt(source=0), inner))
    assert compile_plan(policy(block)).evaluate("q", [7]) == (7,)
    leaving = ir.Block((ir.BreakStmt(index=99),))
    for _ in range(99):
        leaving = ir.Block((ir.ScanStmt(source=0, key=3, value=2, block=leaving), ir.ResultSetAddStmt(value=0)))
    assert compile_plan(policy(leaving, ir.Block((ir.ResultSetAddStmt(value=2),)))).evaluate("q", [7]) == (7,)


def test_many_statements_in_a_row() -> None:
    stmts = tuple(ir.DotStmt(source=ir.Local(0), key=ir.StringIndex(0), target=n) for n in range(2, 2_000))
    made = compile_plan(policy(ir.Block((*stmts, ir.ResultSetAddStmt(value=1_999)))))
    assert made.evaluate("q", {"a": 3}) == (3,)
    assert made.evaluate("q", {}) == ()


def test_nothing_of_the_users_reaches_the_text() -> None:
    hostile = '"); import os; ("\n\\'
    name = ir.StringIndex(0)
    block = ir.Block(
        (ir.MakeArrayStmt(target=2), ir.ArrayAppendStmt(value=name, array=2), ir.ResultSetAddStmt(value=2))
    )
    func = ir.Func(
        hostile,
        (0, 1),
        2,
        (ir.Block((ir.AssignVarOnceStmt(source=name, target=2), ir.ReturnLocalStmt(source=2))),),
        (hostile,),
    )
    call = ir.Block(
        (ir.CallStmt(func=hostile, args=(ir.Local(0), ir.Local(1)), result=2), ir.ResultSetAddStmt(value=2))
    )
    program = compile_plan(policy(block, call, funcs=(func,), strings=(hostile,)))
    assert program.evaluate("q", {}) == ([hostile], hostile)
    assert "import os" not in program.python.replace(ascii(hostile), "")


# Refusals


def test_what_is_not_there_is_refused_when_it_is_compiled() -> None:
    call = ir.Block((ir.CallStmt(func="no.such", args=(), result=2),))
    with pytest.raises(ExpressionError, match=r"undefined function no\.such"):
        compile_plan(policy(call))
    with pytest.raises(ExpressionError, match="arity mismatch"):
        compile_plan(policy(ir.Block((ir.CallStmt(func="count", args=(), result=2),))))
    again = ir.Func("f", (0, 1), 2, (ir.Block((ir.CallStmt(func="f", args=(ir.Local(0), ir.Local(1)), result=2),)),))
    with pytest.raises(ExpressionError, match="recursive"):
        compile_plan(policy(funcs=(again,)))
    with pytest.raises(ExpressionError, match="is no number"):
        compile_plan(policy(ir.Block((ir.MakeNumberRefStmt(index=0, target=2),))))


@pytest.mark.parametrize(
    ("stmt", "message"),
    [
        (ir.BreakStmt(index=1), "leaves the function"),
        (ir.AssignVarStmt(source=ir.StringIndex(7), target=2), "no string 7"),
        (ir.ResetLocalStmt(target=-1), "no local -1"),
        (ir.MakeArrayStmt(target=2, capacity=-1), "capacity"),
    ],
)
def test_an_index_that_points_nowhere_is_refused(stmt: ir.Stmt, message: str) -> None:
    with pytest.raises(ParseError, match=message):
        compile_plan(policy(ir.Block((stmt,))))


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ([], "an object is expected"),
        ({"other": 1}, "unknown field 'other'"),
        ({"plans": {"plans": [{"name": "a"}, {"name": "a"}]}}, "two plans of one name"),
        ({"plans": {"plans": [{"name": "a", "blocks": [{"stmts": [{"type": "EvalStmt", "stmt": {}}]}]}]}}, "unknown statement"),
        ({"plans": {"plans": [{"name": "a", "blocks": [{"stmts": [{"type": "NotStmt", "stmt": {}}]}]}]}}, "has no block"),
        ({"plans": {"plans": [{"name": "a", "blocks": [{"stmts": [{"type": "NopStmt", "stmt": {"x": 1}}]}]}]}}, "unknown field"),
        ({"plans": {"plans": [{"name": "a", "blocks": [{"stmts": [{"type": "IsSetStmt", "stmt": {"source": {"type": "set", "value": 1}}}]}]}]}}, "Invalid value"),
        ({"static": {"strings": [{"value": 1}]}}, "a string is expected"),
        ({"funcs": {"funcs": [{"name": "f", "params": [0, 0], "return": 1}]}}, "two parameters"),
    ],
)  # fmt: skip
def test_what_is_no_plan_is_refused(raw: Any, message: str) -> None:
    with pytest.raises(ParseError, match=message):
        plans.read(raw)


def test_a_set_of_booleans_and_numbers() -> None:
    assert len(Set([True, 1, 1.0, False, 0, "1"])) == 5
