"""Does a name and its value look like a secret? Shapes first, names only with a value that could be one.

Nothing here returns or keeps the value. Patterns are anchored and linear.
"""

from __future__ import annotations

import math
import re
from typing import Any

from bulkhead.core.patterns import later
from bulkhead.formats.credentials import FORMATS, TELLING_WORD

_SHAPES = tuple((shape.label, later(shape.pattern)) for shape in FORMATS)
_HINT = later("|".join(re.escape(hint) for shape in FORMATS for hint in shape.hints))
_NAME = later(TELLING_WORD)
# Names that clouds gave to credentials and to nothing else: even a placeholder shows where the real one will stand.
_EXACT = later(r"^(?:aws_secret_access_key|azure_.{1,40}key|oci_cli_key_content)$")
_CAMEL = later(r"(?<=[a-z0-9])(?=[A-Z])")
_NOT_SECRET_NAME = later(
    r"(?:_|-|\.)(?:file|path|name|url|uri|dir|id|ttl|expiry|expiration|length|type|header|ref|key_id|mount|issuer"
    r"|policy|enabled|count|endpoint|host|port|audience|algorithm|min|max|timeout|store|provider|namespace|class)s?$"
)
_REFERENCE = later(r"^(?:\$\{?[\w.:?-]+\}?|\$\(.*\)|\{\{.*\}\}|%\w+%)$")
_PLACEHOLDER = later(
    r"^(?:<[^>]*>|\[.*\]|\{.*\}|[|>][+-]?|~|x{3,}|\*{3,}|\.{3}|true|false|yes|no|none|null|/[\w./-]*|[0-9]{1,4}|[0-9]+[smhd]|https?://[^@]*)$",
    re.IGNORECASE,
)
_ASSIGNMENT = later(r"^\s*(?:export\s+)?([A-Za-z][\w.-]{0,80})\s*[=:]\s*[\"']?([^\s\"']{1,200})[\"']?\s*$")
_LIMIT = 16_384
_LINES = 400


def kind(name: Any, value: Any) -> str:
    """The kind of secret that the pair looks like, or an empty string. A value of several lines is looked into."""
    if not isinstance(value, str) or not value or not isinstance(name, str):
        return ""
    text = value[:_LIMIT]
    if _HINT.search(text):
        for label, shape in _SHAPES:
            if shape.search(text):
                return label
    found = _named(name, text.strip())
    if found or not ("=" in text or ":" in text):
        return found
    for line in text.split("\n")[:_LINES]:
        match = _ASSIGNMENT.match(line)
        if match and (found := _named(match[1], match[2])):
            return found
    return ""


def _named(name: str, text: str) -> str:
    if not text or _REFERENCE.match(text):
        return ""
    folded = _CAMEL.sub("_", name).lower()
    if _EXACT.match(folded):
        return "password or token"
    if _PLACEHOLDER.match(text) or "\n" in text or not _NAME.search(folded):
        return ""
    if not _NOT_SECRET_NAME.search(folded):
        return "password or token"
    return "high-entropy value" if _random(text) else ""


def _random(text: str) -> bool:
    """At least 20 characters of one word with more than 4 bits each: keys look so, prose and paths do not."""
    if len(text) < 20 or len(text) > 512 or " " in text or "/" in text:
        return False
    counts = {character: text.count(character) for character in set(text)}
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts.values()) > 4.0
