"""What one registry may cost us."""

from __future__ import annotations

import msgspec


class Limits(msgspec.Struct, frozen=True):
    """Sizes in bytes, times in seconds. OCI distribution asks registries to take manifests up to 4 MiB."""

    manifest: int = 4 * 1024 * 1024
    blob: int = 8 * 1024**3
    token: int = 256 * 1024
    error: int = 16 * 1024
    redirects: int = 5
    connect_seconds: float = 10.0
    read_seconds: float = 30.0
    manifest_seconds: float = 60.0
    blob_seconds: float = 1800.0
