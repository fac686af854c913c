"""Named formats of texts (Kubernetes' Format library; the rules are apimachinery's util/validation)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from bulkhead.core.patterns import later
from bulkhead.engines.cel.library.signature import takes
from bulkhead.engines.cel.values import NONE, Opaque, Optional

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_UUID: Final = later(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_DATE: Final = later(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT: Final = later(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_LONGEST: Final = 16 * 1024
_LABEL_SAID: Final = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character"
_SUBDOMAIN_SAID: Final = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"
_LABEL_1035_SAID: Final = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character"
_NAME_SAID: Final = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
)
_VALUE_SAID: Final = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
Rule = Callable[[str], Iterator[str]]


class Format(Opaque):
    """A format; ``key`` is its name."""

    __slots__ = ()
    type_name = "kubernetes.NamedFormat"


def _longest(most: int, text: str) -> Iterator[str]:
    if len(text.encode()) > most:
        yield f"must be no more than {most} characters"


def _pattern(pattern: str, said: str, *examples: str) -> Rule:
    compiled = re.compile(pattern)

    def rule(text: str) -> Iterator[str]:
        if not compiled.fullmatch(text):
            shown = " or ".join(f"'{example}', " for example in examples)
            yield f"{said} (e.g. {shown}regex used for validation is '{pattern}')"

    return rule


def _both(most: int, rule: Rule) -> Rule:
    def both(text: str) -> Iterator[str]:
        yield from _longest(most, text)
        yield from rule(text)

    return both


def _prefix(rule: Rule) -> Rule:
    """Of a name that something is put behind: it may end in a dash."""
    return lambda text: rule(text[:-1] + "a" if len(text) > 1 and text.endswith("-") else text)


def _qualified(text: str) -> Iterator[str]:
    prefix, slash, name = text.rpartition("/")
    if "/" in prefix:
        example = "'MyName',  or 'my.name',  or '123-abc', "
        yield (
            "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
            f"character (e.g. {example}regex used for validation is '{_QUALIFIED}') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        )
        return
    if slash:
        if not prefix:
            yield "prefix part must be non-empty"
        else:
            yield from (f"prefix part {said}" for said in _SUBDOMAIN_RULE(prefix))
    if not name:
        yield "name part must be non-empty"
    elif len(name) > 63:
        yield "name part must be no more than 63 characters"
    yield from (f"name part {said}" for said in _NAME_RULE(name))


def _uri(text: str) -> Iterator[str]:
    try:
        parts = urlsplit(text)
        # Only a whole address, or a path from the root.
        good = bool(parts.scheme) or text.startswith("/")
    except ValueError:
        good = False
    if not good or any(sign <= " " or sign == "\x7f" for sign in text):
        yield f'parse "{text[:64]}": invalid URI for request'


def _uuid(text: str) -> Iterator[str]:
    if not _UUID.fullmatch(text):
        yield "does not match the UUID format"


def _byte(text: str) -> Iterator[str]:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        yield "invalid base64"


def _date(text: str) -> Iterator[str]:
    if not _DATE.fullmatch(text) or not _is_day(text):
        yield "invalid date"


def _is_day(text: str) -> bool:
    try:
        datetime.strptime(text, "%Y-%m-%d")  # noqa: DTZ007 (only whether there is such a day)
    except ValueError:
        return False
    return True


def _instant(text: str) -> Iterator[str]:
    match = _INSTANT.fullmatch(text)
    good = match is not None and _is_day(match[1])
    if good and match is not None:
        hour, minute, second = (int(part) for part in match[2].split(":"))
        good = hour < 24 and minute < 60 and second < 61
    if not good:
        yield "invalid datetime"


_LABEL_RULE: Final = _both(63, _pattern(_LABEL, _LABEL_SAID, "my-name", "123-abc"))
_SUBDOMAIN_RULE: Final = _both(253, _pattern(_SUBDOMAIN, _SUBDOMAIN_SAID, "example.com"))
_LABEL_1035_RULE: Final = _both(63, _pattern(_LABEL_1035, _LABEL_1035_SAID, "my-name", "abc-123"))
_NAME_RULE: Final = _pattern(_QUALIFIED, _NAME_SAID, "MyName", "my.name", "123-abc")
_VALUE_RULE: Final = _both(63, _pattern(f"({_QUALIFIED})?", _VALUE_SAID, "MyValue", "my_value", "12345"))
_RULES: Final[dict[str, Rule]] = {
    "dns1123Label": _LABEL_RULE, "dns1123Subdomain": _SUBDOMAIN_RULE, "dns1035Label": _LABEL_1035_RULE,
    "dns1123LabelPrefix": _prefix(_LABEL_RULE), "dns1123SubdomainPrefix": _prefix(_SUBDOMAIN_RULE),
    "dns1035LabelPrefix": _prefix(_LABEL_1035_RULE), "qualifiedName": _qualified, "labelValue": _VALUE_RULE, "uri": _uri,
    "uuid": _uuid, "byte": _byte, "date": _date, "datetime": _instant,
}  # fmt: skip
NAMES: Final = tuple(_RULES)


@takes("format.named", str)
def named(name: str) -> Optional:
    return Optional(Format(name)) if name in _RULES else NONE


def _maker(name: str) -> Callable[[], Format]:
    return lambda: Format(name)


@takes("validate", Format, str)
def validate(self: Format, text: str) -> Optional:
    """What is wrong with a text; none where nothing is."""
    if len(text) > _LONGEST:
        return Optional([f"must be no more than {_LONGEST} characters"])
    found = list(_RULES[self.key](text))
    return Optional(found) if found else NONE


Format.methods = {"validate": validate}
dns1123_label = _maker("dns1123Label")
dns1123_subdomain = _maker("dns1123Subdomain")
dns1035_label = _maker("dns1035Label")
dns1123_label_prefix = _maker("dns1123LabelPrefix")
dns1123_subdomain_prefix = _maker("dns1123SubdomainPrefix")
dns1035_label_prefix = _maker("dns1035LabelPrefix")
qualified_name = _maker("qualifiedName")
label_value = _maker("labelValue")
uri = _maker("uri")
uuid = _maker("uuid")
byte = _maker("byte")
date = _maker("date")
datetime_ = _maker("datetime")
