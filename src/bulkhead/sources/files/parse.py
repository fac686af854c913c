"""One file's bytes as a Snapshot; nothing is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bulkhead.core.resource import Snapshot
from bulkhead.formats.recognise import recognise

if TYPE_CHECKING:
    from bulkhead.formats.hcl.scope import Scope


def parse(path: str, data: bytes, *, scope: Scope | None = None) -> Snapshot:
    """What the file ``path`` (relative to the root) would hold if these were its bytes."""
    return recognise(path, data, scope=scope)
