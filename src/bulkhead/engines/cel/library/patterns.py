"""Regular expressions with RE2's meaning.

Patterns run on RE2 itself (``google-re2``), whose time is linear in the text: Python's ``re`` can be made to run for
years by one pattern, and refusing every pattern that might would refuse half of what people write for image names.
RE2 costs 18 ms to import and 7 microseconds a call, though, so a short text with a pattern from a small subset, where
both agree and the time is bounded by the cube of 256, runs on ``re``. The subset: literals, simple classes, ``. ^ $``,
groups quantified by ``?`` at most, no more than two quantified atoms, and ``(?i)`` before all (for ASCII text).
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import import_module
from typing import Any

from bulkhead.engines.cel.arithmetic import MAX_LENGTH
from bulkhead.engines.cel.errors import CelError, CostExceeded, refusal
from bulkhead.engines.cel.library.signature import takes
from bulkhead.engines.cel.runtime import box
from bulkhead.engines.cel.values import ABSENT, Optional

MAX_PATTERN = 4096
_MAX_SHORT = 256

_ATOM = re.compile(
    r"""(?P<atom>[A-Za-z0-9_\ \-/:@=,;&%~!"'<>#.]|\\[.\-/:$^*+?()\[\]{}|\\]|\\[dw]
        |\[\^?(?:[A-Za-z0-9_./:@,;%\ ]-[A-Za-z0-9]|[A-Za-z0-9_./:@,;%+*=\ ]|\\[.\-/\[\]\\dw])+-?\])
    |(?P<open>\((?:\?:)?(?![?*+{]))|(?P<close>\))|(?P<or>\|)|(?P<start>\^)|(?P<end>\$)""",
    re.VERBOSE,
)
_QUANTIFIER = re.compile(r"[*+]|\?|\{([0-9]{1,2})(,[0-9]{0,2})?\}")


class Pattern:
    """A compiled pattern; RE2's form is made when a text needs it."""

    __slots__ = ("_exact", "_folded", "_quick", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._folded = text.startswith("(?i)")
        self._quick = _quick(text[4:] if self._folded else text, re.IGNORECASE if self._folded else re.ASCII)
        self._exact: Any = None
        if self._quick is None:
            self._exact = _re2(text)

    def search(self, text: str) -> bool:
        # Beyond ASCII the two fold case differently.
        if self._quick is not None and len(text) <= _MAX_SHORT and (not self._folded or text.isascii()):
            return self._quick.search(text) is not None
        return self.exact.search(_encodable(text)) is not None

    @property
    def exact(self) -> Any:
        if self._exact is None:
            self._exact = _re2(self.text)
        return self._exact


def _quick(text: str, flags: re.RegexFlag) -> re.Pattern[str] | None:
    translated = _translated(text)
    if translated is None:
        return None
    try:
        return re.compile(translated, flags | re.ASCII)
    except re.error:
        return None


def _re2(text: str) -> Any:
    re2 = import_module("re2")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        return re2.compile(_encodable(text), options=options)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        detail = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise CelError(f"error parsing regexp: {detail}") from None


def _encodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise CelError("the text is not Unicode") from None
    return text


def _translated(text: str) -> str | None:
    """The pattern for ``re`` when it lies in the subset, else None."""
    out: list[str] = []
    at = depth = quantified = optional = 0
    while at < len(text):
        match = _ATOM.match(text, at)
        if match is None:
            return None
        # RE2's $ is the end of the text; Python's also stands before a last line break.
        out.append(r"\Z" if match.lastgroup == "end" else match.group())
        at = match.end()
        depth += (match.lastgroup == "open") - (match.lastgroup == "close")
        follows = _QUANTIFIER.match(text, at)
        if depth < 0:
            return None
        if follows is None:
            if text[at : at + 1] in {"*", "+", "?", "{"}:
                return None
            continue
        if match.lastgroup not in {"atom", "close"} or (match.lastgroup == "close" and follows.group() != "?"):
            return None
        quantified += follows.group() != "?" and (follows.group()[0] != "{" or follows.group(2) is not None)
        optional += follows.group() == "?"
        out.append(follows.group())
        at = follows.end()
        if text[at : at + 1] in {"*", "+", "?", "{"}:
            return None
    return "".join(out) if depth == 0 and quantified <= 2 and optional <= 4 else None


@lru_cache(maxsize=512)
def _cached(text: str) -> Pattern:
    return Pattern(text)


def compiled(text: str) -> Pattern:
    if len(text) > MAX_PATTERN:
        raise CostExceeded(f"a regular expression is longer than {MAX_PATTERN} characters")
    return _cached(text)


def search(text: Any, pattern: Pattern) -> bool:
    """``text.matches(pattern)``: anywhere in the text."""
    if not isinstance(text, str):
        raise refusal("matches", text, pattern.text)
    return pattern.search(text)


@takes("matches", str, str)
def matches(text: str, pattern: str) -> bool:
    return compiled(pattern).search(text)


@takes("find", str, str)
def find(text: str, pattern: str) -> str:
    """The first match, or the empty string."""
    match = compiled(pattern).exact.search(_encodable(text))
    return str(match.group()) if match is not None else ""


@takes("findAll", str, str, int)
def find_all(text: str, pattern: str, limit: int = -1) -> list[str]:
    out: list[str] = []
    if limit == 0:
        return out
    for match in compiled(pattern).exact.finditer(_encodable(text)):
        out.append(str(match.group()))
        if len(out) == limit:
            break
    return out


@takes("regex.replace", str, str, str, int)
def replace(text: str, pattern: str, new: str, count: int = -1) -> str:
    r"""Replace matches; ``\1`` in the replacement stands for a group."""
    if count == 0:
        return text
    exact = compiled(pattern).exact
    out: list[str] = []
    end = length = 0
    for number, match in enumerate(exact.finditer(_encodable(text)), 1):
        out += [text[end : match.start()], _filled(new, match, exact.groups)]
        length += len(out[-1]) + len(out[-2])
        if length > MAX_LENGTH:
            raise CostExceeded("the result of regex.replace() is too large")
        end = match.end()
        if number == count:
            break
    return "".join([*out, text[end:]])


def _filled(new: str, match: Any, groups: int) -> str:
    def group(found: re.Match[str]) -> str:
        if found.group(1) == "\\":
            return "\\"
        if not found.group(1).isdigit():
            raise CelError("invalid replacement string: \\ must be followed by a digit")
        number = int(found.group(1))
        if number > groups:
            raise CelError(f"replacement string references group {number} but regex has only {groups} group(s)")
        return str(match.group(number) or "")

    return re.sub(r"\\(.|$)", group, new, flags=re.DOTALL)


@takes("regex.extract", str, str)
def extract(text: str, pattern: str) -> Optional:
    exact = compiled(pattern).exact
    if exact.groups > 1:
        raise CelError("regular expression has more than one capturing group")
    match = exact.search(_encodable(text))
    return box(ABSENT if match is None else _part(match, exact.groups))


@takes("regex.extractAll", str, str)
def extract_all(text: str, pattern: str) -> list[str]:
    exact = compiled(pattern).exact
    if exact.groups > 1:
        raise CelError("regular expression has more than one capturing group")
    return [_part(match, exact.groups) for match in exact.finditer(_encodable(text))]


def _part(match: Any, groups: int) -> str:
    return str(match.group(groups) or "")
