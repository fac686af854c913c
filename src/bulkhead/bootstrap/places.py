"""Where things live: state, cache, settings, the package's own data (XDG Base Directory Specification 0.8)."""

from __future__ import annotations

import os
from pathlib import Path

from bulkhead import catalogue
from bulkhead.core.errors import SettingsError


def state() -> Path:
    """``BULKHEAD_STATE``, else ``$XDG_STATE_HOME/bulkhead``; root has ``/var/lib/bulkhead``."""
    given = os.environ.get("BULKHEAD_STATE")
    if given:
        return Path(given)
    if os.geteuid() == 0 and "XDG_STATE_HOME" not in os.environ:
        return Path("/var/lib/bulkhead")
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "bulkhead"


def cache() -> Path:
    """Things that can be made again."""
    return state() / "cache"


def own(path: Path) -> Path:
    """The folder, made with mode 0700 when absent; refused when another user could write into it.

    Raises:
        SettingsError: it belongs to somebody else or is open to others.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = path.stat()
    except OSError as exc:
        raise SettingsError(
            f"the state folder cannot be made: {exc.strerror}", where=str(path), hint="set BULKHEAD_STATE"
        ) from exc
    if status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise SettingsError(
            "the state folder must be ours alone", where=str(path), hint="chmod 700, or set BULKHEAD_STATE"
        )
    return path


def controls() -> Path:
    """The folder of the control files in the package."""
    return Path(catalogue.__path__[0]) / "controls"
