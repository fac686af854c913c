"""The inside of an instruction: its flags, words, JSON form and pairs, as BuildKit reads them."""

from __future__ import annotations

import json
import re

import msgspec

_SPACE = re.compile(r"[ \t\v\f\r\n]+")
_HEAD = re.compile(r"(\S+)(?:\s+(.*))?$", re.DOTALL)


def head(joined: str) -> tuple[str, int]:
    """The instruction's keyword and where its arguments begin."""
    match = _HEAD.match(joined)
    if not match:
        return joined.strip(), len(joined)
    return match[1], match.start(2) if match[2] is not None else len(joined)


class Flag(msgspec.Struct, frozen=True):
    name: str
    value: str
    start: int
    end: int


def flags(text: str, at: int) -> tuple[list[Flag], int]:
    """The ``--name=value`` words that begin at ``at``, and where the rest begins."""
    found: list[Flag] = []
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        if not text.startswith("--", at):
            return found, at
        end = _word_end(text, at)
        word = text[at:end]
        if word == "--":
            return found, end
        name, _, value = word[2:].partition("=")
        found.append(Flag(name, unquoted(value), at, end))
        at = end


def _word_end(text: str, at: int) -> int:
    quote = ""
    while at < len(text):
        char = text[at]
        if char == "\\" and quote != "'":
            at += 1
        elif quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char.isspace():
            break
        at += 1
    return min(at, len(text))


def split(text: str) -> list[str]:
    """Words between blanks; quotes mean nothing here."""
    return [word for word in _SPACE.split(text) if word]


def quoted_words(text: str) -> list[str]:
    """Words between blanks, blanks inside quotes kept, quotes kept."""
    words, at = [], 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        end = _word_end(text, at)
        words.append(text[at:end])
        at = end
    return words


def exec_form(text: str) -> list[str] | None:
    """The elements when the text is a JSON array of strings, else None: BuildKit then reads it as shell."""
    text = text.strip()
    if not text.startswith("["):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return value
    return None


def unquoted(text: str, escape: str = "\\") -> str:
    """A word without its quotes and escapes; variables stay as written."""
    if "'" not in text and '"' not in text and escape not in text:
        return text
    out: list[str] = []
    quote, at = "", 0
    while at < len(text):
        char = text[at]
        if char == escape and quote != "'" and at + 1 < len(text):
            following = text[at + 1]
            out.append(following if not quote or following in f'"${escape}' else char + following)
            at += 2
            continue
        if quote:
            if char == quote:
                quote = ""
            else:
                out.append(char)
        elif char in "'\"":
            quote = char
        else:
            out.append(char)
        at += 1
    return "".join(out)


def pairs(text: str, escape: str, *, named_only: bool) -> list[dict[str, str]] | None:
    """``k=v`` words, or the old ``k v`` form; None when a name has no value. ``named_only`` allows bare names (ARG)."""
    words = quoted_words(text)
    if not words:
        return None
    if not named_only and "=" not in words[0]:
        parts = text.strip().split(None, 1)
        return [{"key": parts[0], "value": parts[1].strip()}] if len(parts) == 2 else None
    found: list[dict[str, str]] = []
    for word in words:
        key, separator, value = word.partition("=")
        if separator:
            found.append({"key": unquoted(key, escape), "value": unquoted(value, escape)})
        elif named_only:
            found.append({"key": key})
        else:
            return None
    return found
