"""Dockerfiles and Containerfiles: instructions with spans, shell commands inside them, and edits back into bytes.

Pure. It reads what BuildKit's parser reads, says what stands where, and never judges it. ``load`` gives the model
that checks read, ``locate`` finds spans, ``apply`` changes bytes.
"""

from bulkhead.formats.dockerfile.edits import apply
from bulkhead.formats.dockerfile.model import load, parse
from bulkhead.formats.dockerfile.spans import locate

__all__ = ["apply", "load", "locate", "parse"]
