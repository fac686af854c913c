"""EXPOSE words into ports."""

from __future__ import annotations

import re
from typing import Any

_PORT = re.compile(r"(\d+)(?:-(\d+))?(?:/(\w+))?$")


def port(word: str) -> dict[str, Any]:
    """``start``, ``end`` and ``protocol``; without numbers when the word holds a variable."""
    match = _PORT.match(word.strip("\"'"))
    if not match:
        return {"text": word}
    start = int(match[1][:9])
    end = int(match[2][:9]) if match[2] else start
    return {"text": word, "start": start, "end": end, "protocol": (match[3] or "tcp").lower()}
