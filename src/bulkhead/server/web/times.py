"""Instants for people."""

from __future__ import annotations

from datetime import UTC, datetime

_STEPS = ((86400 * 2, 86400, "days"), (3600 * 2, 3600, "hours"), (120, 60, "minutes"))


def when(instant: str) -> str:
    """``2026-11-27 05:44 UTC``; what is no instant stays as it is."""
    try:
        made = datetime.fromisoformat(instant)
    except ValueError:
        return instant
    return made.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def ago(instant: str, now: str) -> str:
    """``3 hours ago``."""
    try:
        seconds = (datetime.fromisoformat(now) - datetime.fromisoformat(instant)).total_seconds()
    except (ValueError, TypeError):
        return ""
    for least, unit, word in _STEPS:
        if seconds >= least:
            return f"{int(seconds // unit)} {word} ago"
    return "a minute ago" if seconds >= 60 else "just now"
