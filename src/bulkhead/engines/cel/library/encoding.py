"""base64.* (cel-go ext.Encoders)."""

from __future__ import annotations

import base64
import binascii

from bulkhead.engines.cel.errors import CelError
from bulkhead.engines.cel.library.signature import takes


@takes("base64.encode", bytes)
def encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


@takes("base64.decode", str)
def decode(text: str) -> bytes:
    """Padding may be missing."""
    try:
        return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise CelError("illegal base64 data") from None
