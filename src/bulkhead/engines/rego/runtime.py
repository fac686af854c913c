"""What generated code calls, and the state of one evaluation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from bulkhead.engines.rego.errors import BudgetError, BuiltinError, ConflictError
from bulkhead.engines.rego.values import Keyed, Set, U, get, integer, items, key_of, same, value_of

__all__ = [
    "BuiltinError",
    "Keyed",
    "N",
    "Set",
    "U",
    "called",
    "conflict_of_functions",
    "conflict_of_rules",
    "dot",
    "dot_base",
    "each",
    "each_any",
    "fresh",
    "length",
    "merged",
    "own_dict",
    "own_list",
    "own_set",
    "pairs",
    "pairs_any",
    "patched",
    "put",
    "put_once",
    "same",
]

SLICE = 4_096
"""Steps between two looks at the clock."""


class _Never:
    """Not asked for yet."""


N: Final = _Never()


class World:
    """One evaluation: its budget, what it may ask of the world, and what it did.

    Attributes:
        left: steps until the budget is looked at.
        slots: how many answers are remembered.
    """

    __slots__ = (
        "_clock", "_counts", "_deadline", "_last", "_rest", "_spent", "_when", "cache", "context", "left", "name", "notes", "slots", "strict",
    )  # fmt: skip

    def __init__(self, slots: int, steps: int, deadline: float | None, clock: Callable[[], float] | None) -> None:
        self.slots = slots
        self.left = min(steps, SLICE)
        self._rest = steps - self.left
        self._deadline = deadline
        self._clock = clock
        self.strict = False
        self.name = ""
        self.context: Any = None
        self.cache: dict[Any, Any] = {}
        self.notes: list[str] = []
        self._counts: list[int] = []
        self._spent: list[float] = []
        self._last = 0
        self._when = 0.0

    def refill(self) -> None:
        """The steps of this slice are used up: look at the clock, and take the next.

        Raises:
            BudgetError: there is none.
        """
        if self._deadline is not None and self._clock is not None and self._clock() > self._deadline:
            raise BudgetError("the evaluation takes too long", self.name)
        owed = -self.left
        take = min(self._rest, owed + SLICE)
        if take <= owed:
            raise BudgetError("the evaluation takes too many steps", self.name)
        self._rest -= take
        self.left = take - owed

    def grown(self, value: Any) -> None:
        """Large values count as steps.

        Raises:
            BudgetError: the budget is used up.
        """
        kind = type(value)
        if kind is str or kind is list or kind is dict or kind is Set:
            size = len(value)
            if size > 1_000:
                self.left -= size >> 6 if kind is str else size
                if self.left < 0:
                    self.refill()

    def failed(self, name: str, error: BuiltinError) -> Any:
        """A built-in has no answer: undefined, or the end.

        Raises:
            BuiltinError: errors are strict.
        """
        if self.strict:
            text = error.message if error.message.startswith(f"{name}: ") else f"{name}: {error.message}"
            raise type(error)(text, self.name)
        return U

    # Watching

    def watch(self, count: int) -> None:
        """Count statements, of an instrumented program."""
        self._counts = [0] * count
        self._spent = [0.0] * count
        self._when = self._clock() if self._clock is not None else 0.0

    def ran(self, spot: int) -> None:
        """A statement begins; the time since the last one is that one's."""
        self._counts[spot] += 1
        if self._clock is not None:
            now = self._clock()
            self._spent[self._last] += now - self._when
            self._when = now
        self._last = spot

    @property
    def watched(self) -> tuple[tuple[int, ...], tuple[float, ...]]:
        """How often each statement ran, and for how long."""
        return tuple(self._counts), tuple(self._spent)


def fresh(world: World) -> list[Any]:
    """A memory without answers. Each is paid for: it forgets what was worked out."""
    world.left -= 1 + world.slots // 16
    if world.left < 0:
        world.refill()
    return [N] * world.slots


# Reading


def dot(source: Any, key: Any) -> Any:
    """What a value holds at a key."""
    if key is U:
        return U
    kind = type(source)
    if kind is dict or kind is Keyed:
        return get(source, key)
    if kind is list:
        at = integer(key)
        return source[at] if at is not None and 0 <= at < len(source) else U
    if kind is Set:
        return key if key in source else U
    return U


def dot_base(source: Any, key: Any) -> Any:
    """What a part of the given data holds; a number stands for the key that is its text as well."""
    found = dot(source, key)
    if found is U and type(key) is int and isinstance(source, dict):
        return source.get(str(key), U)
    return found


def length(value: Any) -> Any:
    kind = type(value)
    return len(value) if kind is list or kind is dict or kind is str or kind is Set or kind is Keyed else U


def _spend(world: World, count: int) -> None:
    world.left -= count
    if world.left < 0:
        world.refill()


def each(world: World, source: Any) -> Iterable[Any] | None:
    """The values of a collection in order; None for what is none."""
    kind = type(source)
    if kind is list:
        world.left -= len(source)
        if world.left < 0:
            world.refill()
        return source  # type: ignore[no-any-return]
    if kind is Set:
        _spend(world, len(source))
        return list(source)
    if kind is dict or kind is Keyed:
        _spend(world, len(source))
        return [value for _, value in items(source)]
    return None


def each_any(world: World, source: Any) -> Iterable[Any] | None:
    """The values in no order, equal ones perhaps more than once."""
    kind = type(source)
    if kind is Set:
        found = source.any_order()
    elif kind is dict or kind is Keyed:
        found = list(source.values())
    else:
        return each(world, source)
    world.left -= len(found)
    if world.left < 0:
        world.refill()
    return found  # type: ignore[no-any-return]


def pairs(world: World, source: Any) -> Iterable[tuple[Any, Any]] | None:
    """Keys and values in order; the keys of a set are its members."""
    kind = type(source)
    if kind is list:
        _spend(world, len(source))
        return enumerate(source)
    if kind is dict or kind is Keyed:
        _spend(world, len(source))
        return items(source)
    if kind is Set:
        _spend(world, len(source))
        return [(value, value) for value in source]
    return None


def pairs_any(world: World, source: Any) -> Iterable[tuple[Any, Any]] | None:
    kind = type(source)
    if kind is dict:
        world.left -= len(source)
        if world.left < 0:
            world.refill()
        return list(source.items())
    if kind is Keyed:
        _spend(world, len(source))
        return [(value_of(key), value) for key, value in source.items()]
    if kind is Set:
        found = source.any_order()
        _spend(world, len(found))
        return [(value, value) for value in found]
    return pairs(world, source)


# Making


def own_list(world: World, value: Any) -> Any:
    """A copy that may be added to; ``U`` for what is no array."""
    if type(value) is not list:
        return U
    _spend(world, len(value))
    return list(value)


def own_set(world: World, value: Any) -> Any:
    if type(value) is not Set:
        return U
    _spend(world, len(value))
    return Set(value.forms.values())


def own_dict(world: World, value: Any) -> Any:
    if type(value) is not dict and type(value) is not Keyed:
        return U
    _spend(world, len(value))
    return value.copy() if type(value) is dict else Keyed(value)


def put(target: dict[Any, Any], key: Any, value: Any) -> dict[Any, Any]:
    """The object with a key; the same one where its keys allow."""
    held = key_of(key)
    if held is not key and type(target) is dict:
        target = Keyed(target)
    target[held] = value
    return target


def put_once(target: dict[Any, Any], key: Any, value: Any) -> dict[Any, Any]:
    known = get(target, key)
    if known is U:
        return put(target, key, value)
    if not same(known, value):
        raise ConflictError("object keys must be unique")
    return target


def merged(world: World, one: Any, two: Any) -> Any:
    """Two objects as one, all the way down; the first wins."""
    if not isinstance(one, dict) or not isinstance(two, dict):
        return U
    _spend(world, len(one) + len(two))
    made = {**two}
    for key, value in one.items():
        other = made.get(key, U)
        both = isinstance(value, dict) and isinstance(other, dict)
        made[key] = merged(world, value, other) if both else value
    return Keyed(made) if type(one) is Keyed or type(two) is Keyed else made


def patched(world: World, value: Any, path: list[str], new: Any) -> Any:
    """A value with another one at a path; what is on the way is copied, and made an object where it is none."""
    _spend(world, 1)
    if not path:
        return new
    held: dict[Any, Any] = value if isinstance(value, dict) else {}
    made = held.copy() if type(held) is dict else Keyed(held)
    made[path[0]] = patched(world, held.get(path[0], U), path[1:], new)
    return made


# Calling


def called(
    world: World,
    memo: list[Any],
    functions: Mapping[tuple[str, ...], tuple[Callable[..., Any], int, int | None]],
    path: tuple[Any, ...],
    args: tuple[Any, ...],
) -> Any:
    """What stands at a path."""
    _spend(world, 1)
    if any(type(part) is not str for part in path):
        return U
    found = functions.get(path)
    if found is None or found[1] != len(args):
        return U
    function, _, slot = found
    if slot is None or len(args) != 2:
        return function(world, memo, *args)
    answer = memo[slot]
    if answer is N:
        answer = memo[slot] = function(world, memo, *args)
    return answer


def conflict_of_rules(name: str) -> ConflictError:
    return ConflictError("complete rules must not produce multiple outputs", name)


def conflict_of_functions(name: str) -> ConflictError:
    return ConflictError("functions must not produce multiple outputs for same inputs", name)
