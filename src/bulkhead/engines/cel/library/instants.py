"""Timestamps and durations: reading, writing, and the calendar (CEL definition, "Abstract Types")."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from importlib import import_module
from typing import Any

from bulkhead.engines.cel.arithmetic import NANOSECONDS, instant, span
from bulkhead.engines.cel.errors import CelError, refusal
from bulkhead.engines.cel.values import Duration, Timestamp

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)
_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_DURATION = re.compile(r"([0-9]{0,20})(?:\.([0-9]{0,20}))?(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_OFFSET = re.compile(r"([+-]?)(\d\d):(\d\d)", re.ASCII)


def timestamp(value: Any) -> Timestamp:
    if isinstance(value, Timestamp):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return instant(int(value) * NANOSECONDS)
    if not isinstance(value, str):
        raise refusal("timestamp", value)
    match = _RFC3339.fullmatch(value)
    if match is None:
        raise CelError("type conversion error from 'string' to 'google.protobuf.Timestamp'")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        raise CelError("type conversion error from 'string' to 'google.protobuf.Timestamp'") from None
    fraction = int((match.group(7) or "").ljust(9, "0"))
    sign, hours, minutes = match.group(8), int(match.group(9) or 0), int(match.group(10) or 0)
    offset = (hours * 3600 + minutes * 60) * (-1 if sign == "-" else 1)
    seconds = (moment - _EPOCH) // timedelta(seconds=1) - offset
    return instant(seconds * NANOSECONDS + fraction)


def duration(value: Any) -> Duration:
    if isinstance(value, Duration):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return span(int(value))
    if not isinstance(value, str):
        raise refusal("duration", value)
    sign, text = (-1, value[1:]) if value[:1] == "-" else (1, value[1:] if value[:1] == "+" else value)
    if text == "0":
        return Duration(0)
    total = at = 0
    while at < len(text) <= 200:
        match = _DURATION.match(text, at)
        if match is None or not (match.group(1) or match.group(2)):
            break
        unit = _UNITS[match.group(3)]
        fraction = match.group(2) or ""
        total += int(match.group(1) or 0) * unit + int(fraction or 0) * unit // 10 ** len(fraction)
        at = match.end()
    if not text or at < len(text):
        raise CelError("type conversion error from 'string' to 'google.protobuf.Duration'")
    return span(sign * total)


def timestamp_text(value: Timestamp) -> str:
    seconds, nanoseconds = divmod(value.key, NANOSECONDS)
    moment = _EPOCH + timedelta(seconds=seconds)
    return moment.replace(tzinfo=None).isoformat() + _fraction(nanoseconds) + "Z"


def duration_text(value: Duration) -> str:
    seconds, nanoseconds = divmod(abs(value.key), NANOSECONDS)
    return f"{'-' if value.key < 0 else ''}{seconds}{_fraction(nanoseconds)}s"


def _fraction(nanoseconds: int) -> str:
    return f".{nanoseconds:09d}".rstrip("0") if nanoseconds else ""


def _zone(name: Any) -> tzinfo:
    if not isinstance(name, str):
        raise refusal("timestamp", name)
    match = _OFFSET.fullmatch(name)
    if match is not None and int(match.group(2)) < 24 and int(match.group(3)) < 60:
        offset = timedelta(hours=int(match.group(2)), minutes=int(match.group(3)))
        return timezone(-offset if match.group(1) == "-" else offset)
    if name == "UTC":
        return UTC
    if not re.fullmatch(r"[A-Za-z0-9_+-]{1,40}(/[A-Za-z0-9_+-]{1,40}){0,2}", name):
        raise CelError(f"no such time zone: {name[:40]!r}")
    # The zone tables are reference data of the interpreter, the same on every machine that has them.
    zoneinfo = import_module("zoneinfo")
    try:
        zone: tzinfo = zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise CelError(f"no such time zone: {name!r}") from None
    return zone


def _local(name: str, value: Any, zone: tuple[Any, ...]) -> datetime:
    if not isinstance(value, Timestamp):
        raise refusal(name, value, *zone)
    moment = _EPOCH + timedelta(seconds=value.key // NANOSECONDS)
    try:
        return moment.astimezone(_zone(zone[0])) if zone else moment
    except OverflowError:
        raise CelError("timestamp out of range") from None


def full_year(value: Any, *zone: Any) -> int:
    return _local("getFullYear", value, zone).year


def month(value: Any, *zone: Any) -> int:
    return _local("getMonth", value, zone).month - 1


def date(value: Any, *zone: Any) -> int:
    return _local("getDate", value, zone).day


def day_of_month(value: Any, *zone: Any) -> int:
    return _local("getDayOfMonth", value, zone).day - 1


def day_of_week(value: Any, *zone: Any) -> int:
    return _local("getDayOfWeek", value, zone).isoweekday() % 7


def day_of_year(value: Any, *zone: Any) -> int:
    return _local("getDayOfYear", value, zone).timetuple().tm_yday - 1


def _whole(value: Duration, unit: int) -> int:
    """Toward zero."""
    count = abs(value.key) // unit
    return int(count if value.key >= 0 else -count)


def hours(value: Any, *zone: Any) -> int:
    if isinstance(value, Duration) and not zone:
        return _whole(value, 3600 * NANOSECONDS)
    return _local("getHours", value, zone).hour


def minutes(value: Any, *zone: Any) -> int:
    if isinstance(value, Duration) and not zone:
        return _whole(value, 60 * NANOSECONDS)
    return _local("getMinutes", value, zone).minute


def seconds(value: Any, *zone: Any) -> int:
    if isinstance(value, Duration) and not zone:
        return _whole(value, NANOSECONDS)
    return _local("getSeconds", value, zone).second


def milliseconds(value: Any, *zone: Any) -> int:
    if isinstance(value, Duration) and not zone:
        return int(abs(value.key) % NANOSECONDS // 10**6)
    _local("getMilliseconds", value, zone)
    return int(value.key % NANOSECONDS // 10**6)
