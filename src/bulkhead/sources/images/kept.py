"""What is known of an image already: it never changes, so that it is told once."""

from __future__ import annotations

from typing import Any, Protocol


class Kept(Protocol):
    """Where facts are kept between readings, by a digest of everything in the image."""

    def get(self, image: str) -> dict[str, Any] | None: ...

    def put(self, image: str, facts: dict[str, Any]) -> None: ...
