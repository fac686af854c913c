"""The values of secrets taken out of a text before it leaves us.

A finding carries no secret by contract; the context lines of a diff, an error of a foreign parser or a path may.
``mask`` knows credentials by their issuers' formats and fits prose; ``mask_source`` also takes what source code
assigns to a telling name and fits diffs.
"""

from __future__ import annotations

import re
from functools import lru_cache

from bulkhead.core.patterns import later
from bulkhead.formats.credentials import FORMATS, TELLING_NAME, URL_REST, URL_USER

MASK = "********"

_KEY_BLOCK = later(
    r"(-{3,5}BEGIN [A-Z0-9 ]{0,60}PRIVATE KEY(?: BLOCK)?-{3,5}).{0,20000}?(-{3,5}END [A-Z0-9 ]{0,60}PRIVATE KEY|\Z)",
    re.DOTALL,
)
_MARKERS = {"private-key", "putty-private-key", "google-service-account", "url-password"}
_TOKEN = later("|".join(known.pattern for known in FORMATS if known.kind not in _MARKERS))
_URL = later(f"({URL_USER}){URL_REST}")
# A literal in an assignment. References (${VAR}, $VAR, {{ template }}, file paths of mounted secrets) stay readable,
# as do the words a manifest has in the same place (names of secrets, booleans, numbers of one digit).
_ASSIGNED = later(
    r"(?P<name>[\w.\-]{0,60}" + TELLING_NAME + r"[\w.\-]{0,20}[\"']?[ \t]{0,8}[:=][ \t]{0,8})"
    r"(?P<quote>[\"']?)(?P<value>(?!true\b|false\b|null\b|none\b|\$|\{\{|/run/secrets/|\*{4})[^\s\"',}\]#]{4,300})",
    re.IGNORECASE,
)
_REFERENCE = later(
    r"(?:name|ref|refs|file|path|paths|id|arn|mount|type|version|seconds|expiration|enabled|policy|mode|provider|count)"
    r"[\"']?[ \t]*[:=]",
    re.IGNORECASE,
)
_PAIR = later(
    r"(?P<name>name:[ \t]{0,8}[\"']?[\w.\-]{0,60}" + TELLING_NAME + r"[\w.\-]{0,20}[\"']?"
    r"[ \t]{0,8}(?:\r?\n[ +\-]{0,80}|,[ \t]{0,8})[\"']?value[\"']?:[ \t]{0,8})(?P<value>(?!\$|\{\{)[^\r\n,}]{1,300})",
    re.IGNORECASE,
)
# A flag and its value as two words: ``--password x``, ``["--password", "x"]``, ``- --password`` above ``- x``.
_FLAG = later(
    r"(?P<name>-{1,2}[\w.\-]{0,60}" + TELLING_NAME + r"[\w\-]{0,20}[\"']?(?:,[ \t]{0,8}|[ \t]{1,8}|\r?\n[ +\-]{1,80}))"
    r"(?P<quote>[\"']?)(?P<value>(?![-$]|\{\{|/|\*{4})[^\s\"',}\]#]{4,300})",
    re.IGNORECASE,
)
# Only a text that holds one of these can hold a secret that the patterns above would find; looking for the words
# first keeps thirty thousand ordinary messages cheap.
_NAMED = later(TELLING_NAME, re.IGNORECASE)
_HINTS = tuple(hint for known in FORMATS if known.kind != "url-password" for hint in known.hints)
_URL_HINT = "://"
_SUSPECT = later("|".join((*map(re.escape, _HINTS), URL_USER)))


def mask(text: str) -> str:
    """The text with every credential of a known format replaced by asterisks."""
    if not _SUSPECT.search(text):
        return text
    text = _KEY_BLOCK.sub(rf"\1{MASK}\2", text)
    text = _TOKEN.sub(MASK, text)
    return _URL.sub(rf"\1{MASK}@", text)


def harmless(text: str) -> bool:
    """Whether ``mask`` surely leaves the text, and every part of it, as it is. Cheap for long texts, which it is made for."""
    return not any(hint in text for hint in _HINTS) and (_URL_HINT not in text or not _SUSPECT.search(text))


# One plan's diff stands at every finding that it repairs.
@lru_cache(maxsize=512)
def mask_source(text: str) -> str:
    """``mask``, and the literals that are assigned to names such as ``password``; references stay readable."""
    text = mask(text)
    if not _NAMED.search(text):
        return text
    text = _FLAG.sub(_hide_value, text)
    return _ASSIGNED.sub(_hide_value, _PAIR.sub(rf"\g<name>{MASK}", text))


def _hide_value(match: re.Match[str]) -> str:
    if _REFERENCE.search(match["name"]):
        return match[0]
    return f"{match['name']}{match['quote']}{MASK}"
