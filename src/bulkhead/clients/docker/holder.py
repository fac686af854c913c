"""Which process holds an engine's socket (unix(7), SO_PEERCRED: of who called listen)."""

from __future__ import annotations

import socket
import struct


def holder(path: str) -> int:
    """The process's number; 0 where that cannot be told."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(3)
            probe.connect(path)
            pid: int = struct.unpack("3i", probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
            return pid
    except OSError:
        return 0
