"""The types that JSON lacks: unsigned integers, instants, durations, optionals, types, and opaque library types."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

from bulkhead.core.resource import UNKNOWN

INT_MAX = 2**63 - 1
INT_MIN = -(2**63)
UINT_MAX = 2**64 - 1


class UInt(int):
    """An unsigned 64-bit integer; equal to an int or double of the same value, never mixed with them in sums."""

    __slots__ = ()


class CelType:
    """A type as a value: ``type(1) == int``."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CelType) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return self.name


class Optional:
    """A value that may be absent. ``ABSENT`` inside means none; generated code keeps the inside bare."""

    __slots__ = ("inside",)

    def __init__(self, inside: Any) -> None:
        self.inside = inside

    def __repr__(self) -> str:
        return "optional.none()" if self.inside is ABSENT else f"optional.of({self.inside!r})"


class _Absent:
    __slots__ = ()

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()
NONE = Optional(ABSENT)


class Opaque:
    """A library's own type (IP address, quantity, version). ``methods`` are its member functions by CEL name."""

    __slots__ = ("key",)
    type_name: ClassVar[str] = ""
    methods: ClassVar[Mapping[str, Callable[..., Any]]] = {}

    def __init__(self, key: Any) -> None:
        self.key = key

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


class Timestamp(Opaque):
    """An instant; ``key`` counts nanoseconds from 1970 in UTC."""

    __slots__ = ()
    type_name = "google.protobuf.Timestamp"


class Duration(Opaque):
    """A span of time; ``key`` counts nanoseconds."""

    __slots__ = ()
    type_name = "google.protobuf.Duration"


class BoolKeyed(dict[Any, Any]):
    """A map with true or false among its keys, which Python would take for 1 and 0."""

    __slots__ = ()

    @staticmethod
    def _in(key: Any) -> Any:
        return CelType("true" if key else "false") if type(key) is bool else key

    @staticmethod
    def _out(key: Any) -> Any:
        return key.name == "true" if type(key) is CelType else key

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(self._in(key))

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(self._in(key), value)

    def __contains__(self, key: object) -> bool:
        return super().__contains__(self._in(key))

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(self._in(key), default)

    def __iter__(self) -> Iterator[Any]:
        return iter([self._out(key) for key in super().__iter__()])

    def keys(self) -> Any:
        return list(self)

    def items(self) -> Any:
        return [(self._out(key), value) for key, value in super().items()]

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{key!r}: {value!r}" for key, value in self.items()) + "}"


_TYPE_NAMES: dict[type, str] = {
    bool: "bool",
    int: "int",
    UInt: "uint",
    float: "double",
    str: "string",
    bytes: "bytes",
    list: "list",
    tuple: "list",
    dict: "map",
    BoolKeyed: "map",
    type(None): "null_type",
    CelType: "type",
    Optional: "optional_type",
}

TYPES: dict[str, CelType] = {
    name: CelType(name)
    for name in (
        *_TYPE_NAMES.values(),
        "google.protobuf.Timestamp",
        "google.protobuf.Duration",
        "net.IP",
        "net.CIDR",
        "kubernetes.URL",
        "kubernetes.Quantity",
        "kubernetes.Semver",
    )
}


def type_name(value: object) -> str:
    """The CEL name of a value's type."""
    if isinstance(value, Opaque):
        return value.type_name
    if value is UNKNOWN:
        return "unknown"
    name = _TYPE_NAMES.get(type(value))
    if name is not None:
        return name
    return next((named for base, named in _TYPE_NAMES.items() if isinstance(value, base)), type(value).__name__)
