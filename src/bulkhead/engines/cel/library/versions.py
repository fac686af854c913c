"""Semantic versions (Kubernetes' semver library; semver.org 2.0.0)."""

from __future__ import annotations

import re
from typing import Any

from bulkhead.engines.cel.errors import CelError, refusal
from bulkhead.engines.cel.values import INT_MAX, Opaque

_NUMBER = r"(0|[1-9][0-9]{0,18})"
_WORD = r"(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_VERSION = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-({_WORD}(?:\.{_WORD})*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)
_MAX_LENGTH = 256


class Semver(Opaque):
    """A version; ``key`` is ordered as section 11 of the standard says, build metadata left out."""

    __slots__ = ()
    type_name = "kubernetes.Semver"


def semver(text: Any, *normalize: Any) -> Semver:
    if isinstance(text, Semver) and not normalize:
        return text
    version = _parsed("semver", text, normalize)
    if version is None:
        raise CelError(_wrong(_normal(text) if normalize and normalize[0] else text))
    return version


def _wrong(text: str) -> str:
    """Why it is none, in the words of the library that the API server uses."""
    if not text:
        return "Version string empty"
    numbers = text.split(".", 2)
    if len(numbers) != 3 and not (len(numbers) == 1 and not numbers[0].isdigit()):
        return "No Major.Minor.Patch elements found"
    numbers[-1] = re.split("[-+]", numbers[-1], maxsplit=1)[0] if len(numbers) == 3 else numbers[-1]
    for name, number in zip(("major", "minor", "patch"), numbers, strict=False):
        if not number.isdigit():
            return f'Invalid character(s) found in {name} number "{number[:40]}"'
        if number[0] == "0" and number != "0":
            return f'{name.capitalize()} number must not contain leading zeroes "{number[:40]}"'
    return "No Major.Minor.Patch elements found" if len(numbers) != 3 else f"not a semantic version: {text[:40]!r}"


def is_semver(text: Any, *normalize: Any) -> bool:
    return _parsed("isSemver", text, normalize) is not None


def _parsed(name: str, text: Any, normalize: tuple[Any, ...]) -> Semver | None:
    if not isinstance(text, str) or not all(isinstance(flag, bool) for flag in normalize):
        raise refusal(name, text, *normalize)
    if len(text) > _MAX_LENGTH:
        return None
    match = _VERSION.fullmatch(_normal(text) if normalize and normalize[0] else text)
    if match is None or any(int(part) > INT_MAX for part in match.groups()[:3]):
        return None
    major, minor, patch, pre = match.groups()
    # A release stands above its pre-releases; numbers stand below words.
    words = tuple((0, int(word), "") if word.isdigit() else (1, 0, word) for word in pre.split(".")) if pre else ()
    return Semver((int(major), int(minor), int(patch), not pre, words))


def _normal(text: str) -> str:
    """``v1.02`` as ``1.2.0``."""
    match = re.fullmatch(r"v?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?([-+].*)?", text, re.DOTALL)
    if match is None:
        return text
    numbers = [(part or "0").lstrip("0") or "0" for part in match.groups()[:3]]
    return ".".join(numbers) + (match.group(4) or "")


def _other(name: str, self: Semver, other: Any) -> Any:
    if not isinstance(other, Semver):
        raise refusal(name, self, other)
    return other.key


def _compare(self: Semver, other: Any) -> int:
    key = _other("compareTo", self, other)
    return int(self.key > key) - int(self.key < key)


Semver.methods = {
    "major": lambda self: self.key[0],
    "minor": lambda self: self.key[1],
    "patch": lambda self: self.key[2],
    "isGreaterThan": lambda self, other: self.key > _other("isGreaterThan", self, other),
    "isLessThan": lambda self, other: self.key < _other("isLessThan", self, other),
    "compareTo": _compare,
}
