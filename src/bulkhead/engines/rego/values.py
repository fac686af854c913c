"""Values: JSON as Python has it, and sets. Nothing is copied on its way in, and no value is changed once it is shared.

Null, booleans, integers, strings, lists and dictionaries are Python's own. A number that is no integer is a ``float``
where its shortest text is the number, else a ``Decimal``: equal numbers are equal in Python. A ``dict`` holds keys that
Python tells apart as Rego does; objects with other keys (booleans, arrays, objects, sets) are ``Keyed``.

The order of everything (ast/compare.go): null, booleans, numbers, strings, arrays, objects, sets.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from decimal import Decimal
from functools import cmp_to_key
from itertools import zip_longest
from typing import Any, Final

from bulkhead.engines.rego.errors import RegoError


class Undefined:
    """No value. It is never part of one."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "undefined"


U: Final = Undefined()

MAX_LOOSE = 32
"""Composite members that a set holds before it looks for equal ones."""

_MAX_EXPONENT = 1_000
_LONG = 21


class _Marker:
    """Stands for a value that Python takes for equal to another one, or in front of what would look like another."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


_TRUE, _FALSE, _SET = _Marker("true"), _Marker("false"), _Marker("set")


class Key:
    """A key of an object that is no string, number or null."""

    __slots__ = ("_hash", "form", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        self.form = form(value)
        self._hash = hash(self.form)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return type(other) is Key and self.form == other.form

    def __repr__(self) -> str:
        return repr(self.value)


class Keyed(dict[Any, Any]):
    """An object with a ``Key`` among its keys."""

    __slots__ = ()


class Set:
    """A set. Composite members are told apart when somebody asks: most sets are only walked through."""

    __slots__ = ("_held", "_loose", "_sorted")

    def __init__(self, values: Iterable[Any] = ()) -> None:
        self._held: dict[Hashable, Any] = {}
        self._loose: list[Any] = []
        self._sorted: list[Any] | None = None
        for value in values:
            self.add(value)

    def add(self, value: Any) -> None:
        """Only what made the set may add to it."""
        self._sorted = None
        kind = type(value)
        if kind is str or kind is int or value is None:
            self._held.setdefault(value, value)
        elif kind is dict or kind is list:
            self._loose.append(value)
            if len(self._loose) > MAX_LOOSE:
                self._settle()
        else:
            self._held.setdefault(form(value), value)

    def _settle(self) -> None:
        loose, self._loose = self._loose, []
        held = self._held
        for value in loose:
            held.setdefault(form(value), value)

    @property
    def forms(self) -> dict[Hashable, Any]:
        """Form → member."""
        if self._loose:
            self._settle()
        return self._held

    def any_order(self) -> list[Any]:
        """Members in no order, equal ones perhaps more than once."""
        return [*self._held.values(), *self._loose]

    def __iter__(self) -> Iterator[Any]:
        if self._sorted is None:
            self._sorted = ordered(self.forms.values())
        return iter(self._sorted)

    def __len__(self) -> int:
        return len(self.forms)

    def __contains__(self, value: object) -> bool:
        return form(value) in self.forms

    def __eq__(self, other: object) -> bool:
        return type(other) is Set and self.forms.keys() == other.forms.keys()

    def __hash__(self) -> int:
        return hash(form(self))

    def __repr__(self) -> str:
        return f"Set({list(self.forms.values())!r})"


def form(value: Any) -> Hashable:
    """What is equal for equal values and no others."""
    kind = type(value)
    if kind is str or kind is int or value is None or kind is float or kind is Decimal:
        return value  # type: ignore[no-any-return]
    if kind is bool:
        return _TRUE if value else _FALSE
    if kind is list:
        return tuple([form(item) for item in value])
    if kind is dict:
        return frozenset([(key, form(item)) for key, item in value.items()])
    if kind is Keyed:
        return frozenset([(key.form if type(key) is Key else key, form(item)) for key, item in value.items()])
    if kind is Set:
        return (_SET, frozenset(value.forms))
    raise RegoError(f"a value of type {kind.__name__} is none of Rego's")


def same(left: Any, right: Any) -> bool:
    """Equality. Python's own would do but for booleans, which it takes for 0 and 1."""
    kind = type(left)
    if kind is str or left is None:
        return bool(left == right)
    if kind is bool:
        return left is right
    if kind is list:
        return type(right) is list and left == right and all(map(same, left, right))
    if kind is dict or kind is Keyed:
        return type(right) is kind and left == right and all(same(value, right[key]) for key, value in left.items())
    return type(right) is not bool and bool(left == right)


def key_of(value: Any) -> Any:
    """A value as a dictionary's key."""
    kind = type(value)
    if kind is str or kind is int or kind is float or kind is Decimal or value is None:
        return value
    return Key(value)


def value_of(key: Any) -> Any:
    """The value of a dictionary's key."""
    return key.value if type(key) is Key else key


def make_object(pairs: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
    """An object of keys and values; a later pair wins."""
    made = {key_of(key): value for key, value in pairs}
    return Keyed(made) if any(type(key) is Key for key in made) else made


def items(value: dict[Any, Any]) -> list[tuple[Any, Any]]:
    """The pairs of an object in the order of their keys."""
    if type(value) is dict:
        try:
            return [(key, value[key]) for key in sorted(value)]
        except TypeError:  # Keys of several types.
            return [(key, value[key]) for key in ordered(value)]
    return [(key, value[key_of(key)]) for key in ordered(map(value_of, value))]


def get(value: dict[Any, Any], key: Any) -> Any:
    """What an object holds, or ``U``."""
    return value.get(key_of(key), U)


# Order

_RANKS: dict[type, int] = {
    type(None): 0, bool: 1, int: 2, float: 2, Decimal: 2, str: 3, list: 4, dict: 5, Keyed: 5, Set: 6,
}  # fmt: skip
_NAMES = ("null", "boolean", "number", "string", "array", "object", "set")


def type_name(value: Any) -> str:
    """OPA's word for the type of a value."""
    return _NAMES[_rank(value)]


def _rank(value: Any) -> int:
    rank = _RANKS.get(type(value))
    if rank is None:
        raise RegoError(f"a value of type {type(value).__name__} is none of Rego's")
    return rank


def compare(left: Any, right: Any) -> int:
    """-1, 0 or 1."""
    rank, other = _rank(left), _rank(right)
    if rank != other:
        return -1 if rank < other else 1
    if rank == 0:
        return 0
    if rank <= 3:
        if rank == 2 and type(left) is not type(right):
            left, right = exact(left), exact(right)
        return -1 if left < right else int(left > right)
    if rank == 5:
        return _compare_objects(items(left), items(right))
    return _compare_sequences(left, right)


def _compare_sequences(left: Iterable[Any], right: Iterable[Any]) -> int:
    for one, two in zip_longest(left, right, fillvalue=U):
        if one is U or two is U:
            return -1 if one is U else 1
        found = compare(one, two)
        if found:
            return found
    return 0


def _compare_objects(left: list[tuple[Any, Any]], right: list[tuple[Any, Any]]) -> int:
    for (key, value), (other_key, other) in zip(left, right, strict=False):
        found = compare(key, other_key) or compare(value, other)
        if found:
            return found
    return (len(left) > len(right)) - (len(left) < len(right))


_BY_ORDER = cmp_to_key(compare)


def ordered(values: Iterable[Any]) -> list[Any]:
    """Values in order."""
    found = list(values)
    kinds = set(map(type, found))
    if len(kinds) <= 1 and kinds <= {str, int, float}:
        found.sort()
    else:
        found.sort(key=_BY_ORDER)
    return found


# Numbers


def number(text: str) -> int | float | Decimal:
    """The number that a JSON text is."""
    if len(text) <= 16 and "e" not in text and "E" not in text:
        return float(text) if "." in text else int(text)
    found = Decimal(text)
    if "." not in text and "e" not in text and "E" not in text:
        return int(text)
    return settled(found)


def settled(value: Decimal) -> int | float | Decimal:
    """A number in the one form that it has here."""
    if not value:
        return 0
    exponent = value.adjusted()
    if abs(exponent) > _MAX_EXPONENT:
        return value
    if value.as_integer_ratio()[1] == 1:
        # A large number is kept as short as it was written.
        return int(value) if exponent < _LONG else value.normalize()
    near = float(value)
    return near if Decimal(repr(near)) == value else value


def exact(value: float | Decimal) -> Decimal:
    """A number with what its text says."""
    return Decimal(repr(value)) if type(value) is float else Decimal(value)


def integer(value: Any) -> int | None:
    """The number as an integer, if it is one."""
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer():
        return int(value)
    if type(value) is Decimal and 0 <= value.adjusted() <= _MAX_EXPONENT and value.as_integer_ratio()[1] == 1:
        return int(value)
    return None
