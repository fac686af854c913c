"""``app.worlds.Progress`` in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class MemoryProgress:
    def __init__(self) -> None:
        self._known: dict[str, Any] = {}
        self.said: list[str] = []

    def known(self) -> Mapping[str, Any]:
        return self._known

    def say(self, text: str) -> None:
        self.said.append(text)

    def note(self, **facts: Any) -> None:
        self._known |= facts
