"""What a scalar means: YAML 1.1 as kubectl reads it (go-yaml 2), checked against kubectl itself."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any, Final

from bulkhead.core.resource import UNKNOWN

WORDS: Final[dict[str, Any]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
}
_NUMBER_START: Final = frozenset("+-.0123456789")
_INTEGER = re.compile(r"([-+]?)(?:0[bB]([01]+)|0[xX]([0-9a-fA-F]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
TAG: Final = "tag:yaml.org,2002:"


def plain(text: str) -> Any:
    """The value of an unquoted scalar. Dates and infinities stay text: JSON has neither."""
    if text in WORDS:
        return WORDS[text]
    if text[0] in _NUMBER_START:
        return _number(text)
    return UNKNOWN if "{{" in text and "}}" in text else text


def _number(text: str) -> Any:
    digits = text.replace("_", "") if "_" in text else text
    if match := _INTEGER.fullmatch(digits):
        sign, binary, hexadecimal, octal, decimal = match.groups()
        if len(digits) > 100:
            return text
        if binary:
            value = int(binary, 2)
        elif hexadecimal:
            value = int(hexadecimal, 16)
        elif octal:
            value = int(octal, 8)
        else:
            value = int(decimal)
        return -value if sign == "-" else value
    if _FLOAT.fullmatch(digits):
        value_ = float(digits)
        if value_ in (float("inf"), float("-inf")):
            return text
        return int(value_) if value_.is_integer() and abs(value_) < 2**53 else value_
    return UNKNOWN if "{{" in text and "}}" in text else text


def quoted(text: str) -> Any:
    """The value of a quoted scalar: its text, or UNKNOWN when a template stands in it."""
    return UNKNOWN if "{{" in text and "}}" in text else text


def tagged(tag: str, text: str) -> tuple[bool, Any]:
    """The value of a scalar with one of YAML's own tags; False first when the tag is not known or does not fit."""
    if tag == "!" or tag in (TAG + "str", TAG + "timestamp"):
        return True, text
    if tag == TAG + "binary":
        try:
            return True, base64.b64decode(text, validate=False).decode("latin-1")
        except (binascii.Error, ValueError):
            return False, None
    value = plain(text)
    fits = {
        TAG + "null": value is None,
        TAG + "bool": isinstance(value, bool),
        TAG + "int": isinstance(value, int) and not isinstance(value, bool),
        TAG + "float": isinstance(value, int | float) and not isinstance(value, bool),
    }
    return fits.get(tag, False), float(value) if tag == TAG + "float" and fits[tag] else value


def key(value: Any) -> str | None:
    """A scalar as a key, spelled as JSON would; None when it cannot be one."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return format(value, "g")
    return None
