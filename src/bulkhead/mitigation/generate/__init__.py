"""Objects that are missing, made with content that fits what is there."""

from __future__ import annotations

from bulkhead.mitigation.generate.make import make, objects

__all__ = ["make", "objects"]
