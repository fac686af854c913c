"""Types as the check of an expression knows them, and what functions take and give (CEL definition; Kubernetes' libraries)."""

from __future__ import annotations

from typing import Final, TypeAlias

Type: TypeAlias = str | tuple[str, "Type"] | tuple[str, "Type", "Type"]
"""A name, ``("list", T)``, ``("optional_type", T)``, ``("map", K, V)``; ``dyn`` is any, found out when it is evaluated."""

DYN: Final = "dyn"
QUANTITY, URL, SEMVER, FORMAT = "kubernetes.Quantity", "kubernetes.URL", "kubernetes.Semver", "kubernetes.NamedFormat"
IP, CIDR = "net.IP", "net.CIDR"
TIMESTAMP, DURATION = "google.protobuf.Timestamp", "google.protobuf.Duration"
NUMBERS: Final = ("int", "uint", "double")
ORDERED: Final = (*NUMBERS, "string", "bytes", "bool", TIMESTAMP, DURATION)
TEXTS: Type = ("list", "string")

Signature = tuple[tuple[Type, ...], Type]

# The receiver comes first.
METHODS: Final[dict[str, tuple[Signature, ...]]] = {
    **dict.fromkeys(("startsWith", "endsWith", "contains", "matches"), ((("string", "string"), "bool"),)),
    "charAt": ((("string", "int"), "string"),),
    "indexOf": ((("string", "string"), "int"), (("string", "string", "int"), "int"), ((("list", DYN), DYN), "int")),
    "lastIndexOf": ((("string", "string"), "int"), (("string", "string", "int"), "int"), ((("list", DYN), DYN), "int")),
    "lowerAscii": ((("string",), "string"),), "upperAscii": ((("string",), "string"),), "trim": ((("string",), "string"),),
    "replace": ((("string", "string", "string"), "string"), (("string", "string", "string", "int"), "string")),
    "split": ((("string", "string"), TEXTS), (("string", "string", "int"), TEXTS)),
    "substring": ((("string", "int"), "string"), (("string", "int", "int"), "string")),
    "join": (((TEXTS,), "string"), ((TEXTS, "string"), "string")),
    "find": ((("string", "string"), "string"),),
    "findAll": ((("string", "string"), TEXTS), (("string", "string", "int"), TEXTS)),
    "format": ((("string", ("list", DYN)), "string"),),
    "sum": (((("list", DYN),), DYN),), "min": (((("list", DYN),), DYN),), "max": (((("list", DYN),), DYN),),
    "isSorted": (((("list", DYN),), "bool"),),
    "size": ((("string",), "int"), (("bytes",), "int"), ((("list", DYN),), "int"), ((("map", DYN, DYN),), "int")),
    "isGreaterThan": (((QUANTITY, QUANTITY), "bool"), ((SEMVER, SEMVER), "bool")),
    "isLessThan": (((QUANTITY, QUANTITY), "bool"), ((SEMVER, SEMVER), "bool")),
    "compareTo": (((QUANTITY, QUANTITY), "int"), ((SEMVER, SEMVER), "int")),
    "isInteger": (((QUANTITY,), "bool"),), "asInteger": (((QUANTITY,), "int"),), "asApproximateFloat": (((QUANTITY,), "double"),),
    "add": (((QUANTITY, QUANTITY), QUANTITY), ((QUANTITY, "int"), QUANTITY)),
    "sub": (((QUANTITY, QUANTITY), QUANTITY), ((QUANTITY, "int"), QUANTITY)),
    "sign": (),
    **dict.fromkeys(("major", "minor", "patch"), (((SEMVER,), "int"),)),
    **dict.fromkeys(("getScheme", "getHost", "getHostname", "getPort", "getEscapedPath"), (((URL,), "string"),)),
    "getQuery": (((URL,), ("map", "string", TEXTS)),),
    "family": (((IP,), "int"),),
    **dict.fromkeys(("isUnspecified", "isLoopback", "isLinkLocalMulticast", "isLinkLocalUnicast", "isGlobalUnicast"), (((IP,), "bool"),)),
    "ip": (((CIDR,), IP),), "masked": (((CIDR,), CIDR),), "prefixLength": (((CIDR,), "int"),),
    "containsIP": (((CIDR, IP), "bool"), ((CIDR, "string"), "bool")),
    "containsCIDR": (((CIDR, CIDR), "bool"), ((CIDR, "string"), "bool")),
    "validate": (((FORMAT, "string"), ("optional_type", TEXTS)),),
    "hasValue": (((("optional_type", DYN),), "bool"),),
}  # fmt: skip
FUNCTIONS: Final[dict[str, tuple[Signature, ...]]] = {
    "int": tuple(((kind,), "int") for kind in (*NUMBERS, "string", TIMESTAMP)),
    "uint": tuple(((kind,), "uint") for kind in (*NUMBERS, "string")),
    "double": tuple(((kind,), "double") for kind in (*NUMBERS, "string")),
    "string": tuple(((kind,), "string") for kind in (*ORDERED, IP, CIDR)),
    "bytes": ((("string",), "bytes"), (("bytes",), "bytes")),
    "bool": ((("string",), "bool"), (("bool",), "bool")),
    "timestamp": ((("string",), TIMESTAMP), (("int",), TIMESTAMP), ((TIMESTAMP,), TIMESTAMP)),
    "duration": ((("string",), DURATION), ((DURATION,), DURATION)),
    "size": METHODS["size"], "matches": METHODS["matches"],
    "quantity": ((("string",), QUANTITY),), "isQuantity": ((("string",), "bool"),), "sign": (((QUANTITY,), "int"),),
    "url": ((("string",), URL),), "isURL": ((("string",), "bool"),),
    "ip": ((("string",), IP),), "isIP": ((("string",), "bool"),), "ip.isCanonical": ((("string",), "bool"),),
    "cidr": ((("string",), CIDR),), "isCIDR": ((("string",), "bool"),),
    "semver": ((("string",), SEMVER), (("string", "bool"), SEMVER)),
    "isSemver": ((("string",), "bool"), (("string", "bool"), "bool")),
    "format.named": ((("string",), ("optional_type", FORMAT)),),
    "strings.quote": ((("string",), "string"),),
    **{f"sets.{name}": (((("list", DYN), ("list", DYN)), "bool"),) for name in ("contains", "intersects", "equivalent")},
}  # fmt: skip


def shown(kind: Type) -> str:
    """As messages have it: ``list(string)``, ``map(string, dyn)``."""
    if isinstance(kind, str):
        return kind
    return f"{kind[0]}({', '.join(shown(part) for part in kind[1:])})"


def fits(given: Type, wanted: Type) -> bool:
    """Whether a value of one type can stand where the other is asked for, as far as that is known beforehand."""
    if DYN in (given, wanted):
        return True
    if isinstance(given, str) or isinstance(wanted, str):
        return given == wanted
    return given[0] == wanted[0] and all(fits(one, other) for one, other in zip(given[1:], wanted[1:], strict=True))


def joined(one: Type, other: Type) -> Type:
    """The type of what is either."""
    return one if one == other else DYN
