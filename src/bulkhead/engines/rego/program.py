"""A compiled policy, ready to be asked from any thread."""

from __future__ import annotations

import builtins as python
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from bulkhead.engines.rego import ir, runtime
from bulkhead.engines.rego.builtins import TABLE, Builtin, Context, resolve
from bulkhead.engines.rego.errors import BudgetError, RegoError
from bulkhead.engines.rego.generate.module import Generated, Module, Spot
from bulkhead.engines.rego.plans import check
from bulkhead.engines.rego.values import U, form

STEPS = 5_000_000
"""Turns of loops, calls and copied elements that one evaluation may take, unless it is told otherwise."""


class Budget(msgspec.Struct, frozen=True):
    """What one evaluation may take.

    Attributes:
        steps: turns of loops, calls, and elements copied.
        deadline: on ``clock``, checked every 4,096 steps.
        clock: seconds, monotonic.
    """

    steps: int = STEPS
    deadline: float | None = None
    clock: Callable[[], float] | None = None


class Profile(msgspec.Struct, frozen=True):
    """What an instrumented program did.

    Attributes:
        spots: its statements.
        counts: how often each ran.
        seconds: how long each took, where the budget has a clock.
    """

    spots: tuple[Spot, ...]
    counts: tuple[int, ...]
    seconds: tuple[float, ...]


class Answer(msgspec.Struct, frozen=True):
    """What an evaluation gave.

    Attributes:
        results: one for each way in which the entry point holds; values as in ``values``.
        notes: what the policy printed.
        profile: of an instrumented program.
    """

    results: tuple[Any, ...]
    notes: tuple[str, ...] = ()
    profile: Profile | None = None


NO_CONTEXT = Context()
NO_BUDGET = Budget()


class Program:
    """A policy as Python.

    Attributes:
        entrypoints: the names that ``evaluate`` takes.
        builtins: the built-ins that it may call.
        python: the generated text.
        lines: for each line of it, the number of a statement in ``spots``, or -1.
    """

    def __init__(self, generated: Generated, table: Mapping[str, Builtin]) -> None:
        self.entrypoints = tuple(generated.plans)
        self.builtins = tuple(sorted(generated.builtins))
        self.python = generated.python
        self.spots = generated.spots
        self.lines = generated.lines
        self._slots = generated.slots
        code = python.compile(generated.python, "<rego>", "exec", dont_inherit=True)
        names: dict[str, Any] = {"__builtins__": _NAMES, **generated.constants}
        for name, handle in generated.builtins.items():
            names[handle] = resolve(table[name])
        exec(code, names)  # noqa: S102 (text made by generate)
        names["FUNCTIONS"] = {path: (names[name], count, slot) for path, (name, count, slot) in generated.paths.items()}
        self._plans: dict[str, Callable[..., None]] = {plan: names[handle] for plan, handle in generated.plans.items()}
        self._instrumented = "w.ran(" in generated.python

    def evaluate(
        self,
        name: str,
        input: Any = U,  # noqa: A002 (OPA's word)
        data: Any = None,
        *,
        context: Context = NO_CONTEXT,
        budget: Budget = NO_BUDGET,
        strict: bool = False,
    ) -> tuple[Any, ...]:
        """The results of an entry point. They may share parts with input, data and the program: they are to be read.

        Args:
            name: of the entry point.
            input: as JSON has it; ``U`` for none.
            data: as JSON has it.
            context: what the policy may ask of the world.
            budget: steps and time.
            strict: errors of built-ins end the evaluation instead of being undefined.

        Raises:
            RegoError: there is no answer. It names the function of the policy where that is known.
            KeyError: there is no such entry point.
        """
        return self.answer(name, input, data, context=context, budget=budget, strict=strict).results

    def answer(
        self,
        name: str,
        input: Any = U,  # noqa: A002 (OPA's word)
        data: Any = None,
        *,
        context: Context = NO_CONTEXT,
        budget: Budget = NO_BUDGET,
        strict: bool = False,
    ) -> Answer:
        """As ``evaluate``, with what the policy printed and, of an instrumented program, what ran."""
        plan = self._plans[name]
        world = runtime.World(self._slots, budget.steps, budget.deadline, budget.clock)
        world.strict, world.context, world.name = strict, context, name
        if self._instrumented:
            world.watch(len(self.spots))
        results: list[Any] = []
        try:
            plan(world, [runtime.N] * self._slots, input, {} if data is None else data, results)
            if len(results) > 1:
                results = list({form(result): result for result in results}.values())
        except RecursionError:
            raise BudgetError("a value is nested too deep", name) from None
        except MemoryError:
            raise BudgetError("the evaluation takes too much memory", name) from None
        except RegoError as error:
            error.policy = error.policy or name
            raise
        profile = Profile(self.spots, *world.watched) if self._instrumented else None
        return Answer(tuple(results), tuple(world.notes), profile)


def compile_plan(
    policy: ir.Policy,
    *,
    builtins: Mapping[str, Builtin] = TABLE,
    instrumented: bool = False,
) -> Program:
    """A program for a plan.

    Args:
        policy: the plan.
        builtins: those that it may call.
        instrumented: count and time every statement; slower.

    Raises:
        ExpressionError: it calls what there is not, calls itself, or is too large.
        ParseError: an index in it points nowhere.
    """
    check(policy)
    return Program(Module(policy, builtins, instrumented=instrumented).write(), builtins)


_NAMES: dict[str, Any] = {
    **{name: getattr(runtime, name) for name in runtime.__all__},
    **{kind.__name__: kind for kind in (bool, dict, float, int, list, str, tuple, type)},
    "isinstance": isinstance,
    "len": len,
}
