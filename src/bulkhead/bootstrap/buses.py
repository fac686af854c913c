"""Which bus carries what the parts of one process tell each other."""

from __future__ import annotations

from bulkhead.app.bus import Bus
from bulkhead.bus.memory import MemoryBus


def opened() -> Bus:
    """In memory: a listener that is not there has missed it."""
    return MemoryBus()
