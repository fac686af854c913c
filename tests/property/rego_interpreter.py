"""A plain interpreter of OPA's plans: one statement after the other, every value copied before it is added to.

It is the oracle of the generated code and shares nothing with it but the types, equality and the built-ins.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from bulkhead.engines.rego import ir
from bulkhead.engines.rego.builtins import TABLE, resolve
from bulkhead.engines.rego.errors import BuiltinError, ConflictError
from bulkhead.engines.rego.values import Keyed, Set, U, get, integer, items, key_of, number, same


class Returned(Exception):
    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


def evaluate(policy: ir.Policy, name: str, given: Any, data: Any, world: Any = None) -> tuple[Any, ...]:
    run = _Run(policy, world)
    plan = next(plan for plan in policy.plans if plan.name == name)
    run.blocks(plan.blocks, {0: given, 1: data})
    found: dict[Any, Any] = {}
    for result in run.results:
        from bulkhead.engines.rego.values import form

        found.setdefault(form(result), result)
    return tuple(found.values())


class _Run:
    def __init__(self, policy: ir.Policy, world: Any) -> None:
        self.policy = policy
        self.world = world
        self.functions = {func.name: func for func in policy.funcs}
        self.results: list[Any] = []

    def blocks(self, blocks: Sequence[ir.Block], held: dict[int, Any]) -> int | None:
        """How many blocks further out are left as well; None where all were gone through."""
        for block in blocks:
            left = self.block(block, held)
            if left:
                return left - 1
        return None

    def block(self, block: ir.Block, held: dict[int, Any]) -> int | None:
        """None where its end was reached, 0 where it is undefined, more where blocks around it are left too."""
        for stmt in block.stmts:
            left = self.stmt(stmt, held)
            if left is not None:
                return left
        return None

    def value(self, operand: ir.Operand, held: dict[int, Any]) -> Any:
        if isinstance(operand, ir.Local):
            return held.get(operand.value, U)
        return operand.value if isinstance(operand, ir.Bool) else self.policy.strings[operand.value]

    def stmt(self, s: ir.Stmt, held: dict[int, Any]) -> int | None:
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", type(s).__name__.removesuffix("Stmt")).lower()
        method = getattr(self, f"_{name}")
        left: int | None = method(s, held)
        return left

    def function(self, func: ir.Func, args: list[Any]) -> Any:
        inner = dict(zip(func.params, args, strict=True))
        try:
            self.blocks(func.blocks, inner)
        except Returned as returned:
            return returned.value
        return U

    # Statements

    def _assign_var(self, s: Any, held: Any) -> None:
        held[s.target] = self.value(s.source, held)

    def _assign_var_once(self, s: Any, held: Any) -> None:
        new, old = self.value(s.source, held), held.get(s.target, U)
        if old is not U and not same(old, new):
            raise ConflictError("two values")
        if old is U:
            held[s.target] = new

    def _assign_int(self, s: Any, held: Any) -> None:
        held[s.target] = s.value

    def _make_null(self, s: Any, held: Any) -> None:
        held[s.target] = None

    _make_number_int = _assign_int

    def _make_number_ref(self, s: Any, held: Any) -> None:
        held[s.target] = number(self.policy.strings[s.index])

    def _make_array(self, s: Any, held: Any) -> None:
        held[s.target] = []

    def _make_object(self, s: Any, held: Any) -> None:
        held[s.target] = {}

    def _make_set(self, s: Any, held: Any) -> None:
        held[s.target] = Set()

    def _reset_local(self, s: Any, held: Any) -> None:
        held[s.target] = U

    def _nop(self, s: Any, held: Any) -> None:
        pass

    def _array_append(self, s: Any, held: Any) -> int | None:
        value, array = self.value(s.value, held), held.get(s.array, U)
        if value is U or type(array) is not list:
            return 0
        held[s.array] = [*array, value]
        return None

    def _set_add(self, s: Any, held: Any) -> int | None:
        value, found = self.value(s.value, held), held.get(s.set, U)
        if value is U or type(found) is not Set:
            return 0
        held[s.set] = Set([*found, value])
        return None

    def _insert(self, s: Any, held: Any, *, once: bool) -> int | None:
        key, value, target = self.value(s.key, held), self.value(s.value, held), held.get(s.object, U)
        if key is U or value is U or not isinstance(target, dict):
            return 0
        old = get(target, key)
        if once and old is not U:
            if not same(old, value):
                raise ConflictError("two values")
            return None
        made = dict(target)
        made[key_of(key)] = value
        held[s.object] = Keyed(made) if type(target) is Keyed or key_of(key) is not key else made
        return None

    def _object_insert(self, s: Any, held: Any) -> int | None:
        return self._insert(s, held, once=False)

    def _object_insert_once(self, s: Any, held: Any) -> int | None:
        return self._insert(s, held, once=True)

    def _object_merge(self, s: Any, held: Any) -> int | None:
        one, two = held.get(s.a, U), held.get(s.b, U)
        if not isinstance(one, dict) or not isinstance(two, dict):
            return 0
        held[s.target] = _merge(one, two)
        return None

    def _dot(self, s: Any, held: Any) -> int | None:
        source, key = self.value(s.source, held), self.value(s.key, held)
        found = U
        if isinstance(source, dict) and key is not U:
            found = get(source, key)
        elif type(source) is list and integer(key) is not None:
            at = integer(key)
            found = source[at] if at is not None and 0 <= at < len(source) else U
        elif type(source) is Set and key is not U:
            found = key if key in source else U
        if found is U:
            return 0
        held[s.target] = found
        return None

    def _equal(self, s: Any, held: Any) -> int | None:
        return None if same(self.value(s.a, held), self.value(s.b, held)) else 0

    def _not_equal(self, s: Any, held: Any) -> int | None:
        a, b = self.value(s.a, held), self.value(s.b, held)
        return 0 if a is U or b is U or same(a, b) else None

    def _is_array(self, s: Any, held: Any) -> int | None:
        return None if type(self.value(s.source, held)) is list else 0

    def _is_object(self, s: Any, held: Any) -> int | None:
        return None if isinstance(self.value(s.source, held), dict) else 0

    def _is_set(self, s: Any, held: Any) -> int | None:
        return None if type(self.value(s.source, held)) is Set else 0

    def _is_defined(self, s: Any, held: Any) -> int | None:
        return 0 if held.get(s.source, U) is U else None

    def _is_undefined(self, s: Any, held: Any) -> int | None:
        return None if held.get(s.source, U) is U else 0

    def _len(self, s: Any, held: Any) -> int | None:
        value = self.value(s.source, held)
        if not isinstance(value, (list, dict, str, Set)):
            return 0
        held[s.target] = len(value)
        return None

    def _result_set_add(self, s: Any, held: Any) -> int | None:
        value = held.get(s.value, U)
        if value is U:
            return 0
        self.results.append(value)
        return None

    def _return_local(self, s: Any, held: Any) -> None:
        raise Returned(held.get(s.source, U))

    def _call(self, s: Any, held: Any) -> int | None:
        args = [self.value(argument, held) for argument in s.args]
        func = self.functions.get(s.func)
        if func is not None:
            found = self.function(func, args)
        elif U in args:
            return 0
        else:
            builtin = TABLE[s.func]
            try:
                found = resolve(builtin)(*([self.world] if builtin.world else []), *args)
            except BuiltinError:
                return 0
        if found is U:
            return 0
        held[s.result] = found
        return None

    def _call_dynamic(self, s: Any, held: Any) -> int | None:
        path = tuple(self.value(part, held) for part in s.path)
        func = next((func for func in self.policy.funcs if func.path and func.path == path), None)
        if func is None or len(func.params) != len(s.args):
            return 0
        found = self.function(func, [held.get(argument, U) for argument in s.args])
        if found is U:
            return 0
        held[s.result] = found
        return None

    # What holds blocks

    def _block(self, s: Any, held: Any) -> int | None:
        return self.blocks(s.blocks, held)

    def _break(self, s: Any, held: Any) -> int:
        return int(s.index)

    def _not(self, s: Any, held: Any) -> int | None:
        left = self.block(s.block, held)
        if left is None:
            return 0
        return left - 1 if left else None

    def _scan(self, s: Any, held: Any) -> int | None:
        source = held.get(s.source, U)
        if type(source) is list:
            pairs: list[tuple[Any, Any]] = list(enumerate(source))
        elif isinstance(source, dict):
            pairs = items(source)
        elif type(source) is Set:
            pairs = [(value, value) for value in source]
        else:
            return 0
        for key, value in pairs:
            held[s.key] = key
            held[s.value] = value
            left = self.block(s.block, held)
            if left:
                return left - 1
        return None

    def _with(self, s: Any, held: Any) -> int | None:
        value = self.value(s.value, held)
        path = [self.policy.strings[index] for index in s.path]
        if path and value is U:
            return 0
        old = held.get(s.local, U)
        held[s.local] = _patched(old, path, value)
        left = self.block(s.block, held)
        held[s.local] = old
        return left - 1 if left else left


def _merge(one: dict[Any, Any], two: dict[Any, Any]) -> dict[Any, Any]:
    made = dict(two)
    for key, value in one.items():
        other = made.get(key, U)
        made[key] = _merge(value, other) if isinstance(value, dict) and isinstance(other, dict) else value
    return Keyed(made) if Keyed in {type(one), type(two)} else made


def _patched(value: Any, path: list[str], new: Any) -> Any:
    if not path:
        return new
    held = value if isinstance(value, dict) else {}
    made = Keyed(held) if type(held) is Keyed else dict(held)
    made[path[0]] = _patched(held.get(path[0], U), path[1:], new)
    return made
