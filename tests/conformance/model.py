"""What a run of a foreign suite gives."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Result:
    """Counts, and the names of the cases that did not pass.

    A case that we cannot evaluate is refused, not passed; one whose input is absent is left out of the total.
    """

    suite: str
    total: int = 0
    passed: int = 0
    failed: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
