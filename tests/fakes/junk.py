"""Values with one place replaced by something that does not belong there."""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from typing import Any


def mutated(value: Any, rng: random.Random, junk: Sequence[Any], depth: int = 0) -> Any:
    """A copy with one place replaced by junk, or without one key."""
    if not isinstance(value, (dict, list)) or not value or rng.random() < 0.15 * depth:
        return copy.copy(rng.choice(junk))
    if isinstance(value, dict):
        key = rng.choice(list(value))
        if rng.random() < 0.1:
            return {other: item for other, item in value.items() if other != key}
        return {**value, key: mutated(value[key], rng, junk, depth + 1)}
    index = rng.randrange(len(value))
    return [*value[:index], mutated(value[index], rng, junk, depth + 1), *value[index + 1 :]]
