"""The functions of CEL, its extensions and Kubernetes' own, by topic; a topic is imported when it is first used.

The tables give, for a name and its number of arguments, ``module.function`` and, where every result has it, the kind.
Names follow the CEL definition, cel-go's extensions, and Kubernetes' CEL libraries.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

FUNCTIONS: dict[tuple[str, int], str] = {
    ("int", 1): "conversions.to_int",
    ("uint", 1): "conversions.to_uint",
    ("double", 1): "conversions.to_double float",
    ("string", 1): "conversions.to_string str",
    ("bytes", 1): "conversions.to_bytes",
    ("bool", 1): "conversions.to_bool bool",
    ("type", 1): "conversions.type_of",
    ("timestamp", 1): "instants.timestamp",
    ("duration", 1): "instants.duration",
    **{(f"math.{name}", count): f"arithmetic.{name}" for name in ("greatest", "least") for count in range(1, 11)},
    ("math.abs", 1): "arithmetic.absolute",
    ("math.ceil", 1): "arithmetic.ceil float",
    ("math.floor", 1): "arithmetic.floor float",
    ("math.round", 1): "arithmetic.rounded float",
    ("math.trunc", 1): "arithmetic.trunc float",
    ("math.sign", 1): "arithmetic.sign",
    ("math.sqrt", 1): "arithmetic.sqrt float",
    ("math.isNaN", 1): "arithmetic.is_nan bool",
    ("math.isInf", 1): "arithmetic.is_inf bool",
    ("math.isFinite", 1): "arithmetic.is_finite bool",
    ("math.bitAnd", 2): "arithmetic.bit_and",
    ("math.bitOr", 2): "arithmetic.bit_or",
    ("math.bitXor", 2): "arithmetic.bit_xor",
    ("math.bitNot", 1): "arithmetic.bit_not",
    ("math.bitShiftLeft", 2): "arithmetic.shift_left",
    ("math.bitShiftRight", 2): "arithmetic.shift_right",
    ("lists.range", 1): "sequences.numbers list",
    ("@sortByKeys", 2): "sequences.by_keys list",
    ("sets.contains", 2): "sets.contains bool",
    ("sets.intersects", 2): "sets.intersects bool",
    ("sets.equivalent", 2): "sets.equivalent bool",
    ("strings.quote", 1): "text.quote str",
    ("base64.encode", 1): "encoding.encode str",
    ("base64.decode", 1): "encoding.decode",
    ("format.named", 1): "formats.named",
    **{
        (f"format.{name}", 0): f"formats.{function}"
        for name, function in {
            "dns1123Label": "dns1123_label",
            "dns1123Subdomain": "dns1123_subdomain",
            "dns1035Label": "dns1035_label",
            "dns1123LabelPrefix": "dns1123_label_prefix",
            "dns1123SubdomainPrefix": "dns1123_subdomain_prefix",
            "dns1035LabelPrefix": "dns1035_label_prefix",
            "qualifiedName": "qualified_name",
            "labelValue": "label_value",
            "uri": "uri",
            "uuid": "uuid",
            "byte": "byte",
            "date": "date",
            "datetime": "datetime_",
        }.items()
    },
    ("sign", 1): "quantities.sign int",
    ("quantity", 1): "quantities.quantity",
    ("isQuantity", 1): "quantities.is_quantity bool",
    ("url", 1): "urls.url",
    ("isURL", 1): "urls.is_url bool",
    ("ip", 1): "network.ip",
    ("isIP", 1): "network.is_ip bool",
    ("ip.isCanonical", 1): "network.is_canonical bool",
    ("cidr", 1): "network.cidr",
    ("isCIDR", 1): "network.is_cidr bool",
    ("semver", 1): "versions.semver",
    ("semver", 2): "versions.semver",
    ("isSemver", 1): "versions.is_semver bool",
    ("isSemver", 2): "versions.is_semver bool",
    ("regex.replace", 3): "patterns.replace str",
    ("regex.replace", 4): "patterns.replace str",
    ("regex.extract", 2): "patterns.extract",
    ("regex.extractAll", 2): "patterns.extract_all list",
}

METHODS: dict[tuple[str, int], str] = {
    ("charAt", 1): "text.char_at str",
    ("indexOf", 1): "text.index_of int",
    ("indexOf", 2): "text.index_of int",
    ("lastIndexOf", 1): "text.last_index_of int",
    ("lastIndexOf", 2): "text.last_index_of int",
    ("lowerAscii", 0): "text.lower str",
    ("upperAscii", 0): "text.upper str",
    ("replace", 2): "text.replace str",
    ("replace", 3): "text.replace str",
    ("split", 1): "text.split list",
    ("split", 2): "text.split list",
    ("substring", 1): "text.substring str",
    ("substring", 2): "text.substring str",
    ("trim", 0): "text.trim str",
    ("join", 0): "text.join str",
    ("join", 1): "text.join str",
    ("reverse", 0): "text.reverse",
    ("format", 1): "formatting.format_string str",
    ("find", 1): "patterns.find str",
    ("findAll", 1): "patterns.find_all list",
    ("findAll", 2): "patterns.find_all list",
    ("min", 0): "sequences.smallest",
    ("max", 0): "sequences.largest",
    ("sum", 0): "sequences.total",
    ("isSorted", 0): "sequences.is_sorted bool",
    ("distinct", 0): "sequences.distinct list",
    ("flatten", 0): "sequences.flatten list",
    ("flatten", 1): "sequences.flatten list",
    ("slice", 2): "sequences.part list",
    ("sort", 0): "sequences.in_order list",
    ("first", 0): "sequences.first",
    ("last", 0): "sequences.last",
    ("includes", 1): "sequences.includes bool",
    **{
        (name, count): f"instants.{function} int"
        for count in (0, 1)
        for name, function in {
            "getFullYear": "full_year",
            "getMonth": "month",
            "getDate": "date",
            "getDayOfMonth": "day_of_month",
            "getDayOfWeek": "day_of_week",
            "getDayOfYear": "day_of_year",
            "getHours": "hours",
            "getMinutes": "minutes",
            "getSeconds": "seconds",
            "getMilliseconds": "milliseconds",
        }.items()
    },
}

# Member functions of opaque types (quantity, URL, IP, CIDR, version); which has which is found at evaluation.
MEMBERS: dict[str, int] = {
    **dict.fromkeys(
        ["isGreaterThan", "isLessThan", "compareTo", "add", "sub", "containsIP", "containsCIDR", "validate"], 1
    ),
    **dict.fromkeys(["asInteger", "asApproximateFloat", "isInteger", "sign", "major", "minor", "patch"], 0),
    **dict.fromkeys(["getScheme", "getHost", "getHostname", "getPort", "getEscapedPath", "getQuery"], 0),
    **dict.fromkeys(["family", "isUnspecified", "isLoopback", "isLinkLocalMulticast", "isLinkLocalUnicast"], 0),
    **dict.fromkeys(["isGlobalUnicast", "ip", "masked", "prefixLength"], 0),
}

_TARGETS = frozenset(entry.split(" ")[0] for entry in (*FUNCTIONS.values(), *METHODS.values())) | {
    "text.starts_with",
    "text.ends_with",
    "text.contains",
    "patterns.matches",
    "patterns.compiled",
    "patterns.search",
}


def resolve(target: str) -> Callable[..., Any]:
    """The function behind ``module.function`` of the tables."""
    if target not in _TARGETS:
        raise KeyError(target)
    module, _, name = target.partition(".")
    found: Callable[..., Any] = getattr(import_module(f"{__name__}.{module}"), name)
    return found
