"""Times in nanoseconds since 1970, with Go's layouts (time/format.go)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any

from bulkhead.core.patterns import later
from bulkhead.engines.rego.builtins.layouts import FORMATS, format_layout, parse_layout
from bulkhead.engines.rego.builtins.operands import number, text, whole, wrong_type
from bulkhead.engines.rego.errors import BuiltinError, PortError
from bulkhead.engines.rego.values import integer, type_name

_NANO = 10**9
_MIN, _MAX = -(2**63), 2**63 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EITHER = "either number (ns) or [number (ns), string (tz)]"
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _bounded(value: int) -> int:
    if not _MIN <= value <= _MAX:
        raise BuiltinError("time outside of valid range")
    return value


@lru_cache(maxsize=64)
def _zone(name: str) -> tzinfo:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    if name in {"", "UTC"}:
        return UTC
    if name == "Local":
        raise PortError("time: this evaluation was not given a time zone")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BuiltinError(f"unknown time zone {name[:100]}") from None


def _time(a: Any) -> tuple[datetime, int, str]:
    """The second in its zone, the nanoseconds in it, and a layout."""
    zone: tzinfo = UTC
    layout = ""
    value = a
    if type(a) is list:
        if not a:
            raise wrong_type(1, a, _EITHER)
        value = number(a[0], 1)
        if len(a) > 1:
            zone = _zone(text(a[1], 1))
        if len(a) > 2:
            layout = text(a[2], 1)
    elif type_name(a) != "number":
        raise wrong_type(1, a, _EITHER)
    nanoseconds = integer(number(value, 1))
    if nanoseconds is None or not _MIN <= nanoseconds <= _MAX:
        raise BuiltinError("timestamp too big")
    seconds, rest = divmod(nanoseconds, _NANO)
    return (_EPOCH + timedelta(seconds=seconds)).astimezone(zone), rest, layout


def _nanoseconds(when: datetime, rest: int) -> int:
    return _bounded((when - _EPOCH) // timedelta(seconds=1) * _NANO + rest)


def parse(layout: Any, value: Any) -> int:
    name = text(layout, 1)
    return _parsed(FORMATS.get(name, name), text(value, 2))


def _parsed(layout: str, value: str) -> int:
    when, rest = parse_layout(layout, value)
    return _nanoseconds(when, rest)


def parse_rfc3339(value: Any) -> int:
    return _parsed(FORMATS["RFC3339"], text(value, 1))


def format_time(a: Any) -> str:
    when, rest, layout = _time(a)
    return format_layout(FORMATS.get(layout, layout) if layout else FORMATS["RFC3339Nano"], when, rest)


def date(a: Any) -> list[int]:
    when = _time(a)[0]
    return [when.year, when.month, when.day]


def clock(a: Any) -> list[int]:
    when = _time(a)[0]
    return [when.hour, when.minute, when.second]


def weekday(a: Any) -> str:
    return _DAYS[_time(a)[0].weekday()]


def add_date(a: Any, years: Any, months: Any, days: Any) -> int:
    when, rest, _ = _time(a)
    year, month, more = whole(years, 2), whole(months, 3), whole(days, 4)
    shift, at = divmod(when.month - 1 + month, 12)
    try:
        first = when.replace(year=when.year + year + shift, month=at + 1, day=1)
        moved = first + timedelta(days=when.day - 1 + more)
        return _nanoseconds(moved, rest)
    except (ValueError, OverflowError):
        raise BuiltinError("time outside of valid range") from None


def difference(a: Any, b: Any) -> list[int]:
    """Years, months, days, hours, minutes and seconds between two times, in the first one's zone."""
    one, rest, _ = _time(a)
    two, other, _ = _time(b)
    two = two.astimezone(one.tzinfo)
    if (one, rest) > (two, other):
        one, two = two, one
    pairs = zip(two.timetuple()[:6], one.timetuple()[:6], strict=True)
    years, months, days, hours, minutes, seconds = (later_ - earlier for later_, earlier in pairs)
    if seconds < 0:
        seconds, minutes = seconds + 60, minutes - 1
    if minutes < 0:
        minutes, hours = minutes + 60, hours - 1
    if hours < 0:
        hours, days = hours + 24, days - 1
    if days < 0:
        days, months = days + _days_in(one.year, one.month), months - 1
    if months < 0:
        months, years = months + 12, years - 1
    return [years, months, days, hours, minutes, seconds]


def _days_in(year: int, month: int) -> int:
    from calendar import monthrange

    return monthrange(year, month)[1]


# Durations

_UNITS = {
    "ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": _NANO, "m": 60 * _NANO, "h": 3600 * _NANO,
    "d": 86_400 * _NANO, "w": 7 * 86_400 * _NANO, "y": 365 * 86_400 * _NANO,
}  # fmt: skip
_SEGMENT = later(r"([0-9]*)(?:\.([0-9]*))?(ns|us|µs|μs|ms|s|m|h|d|w|y)")


def parse_duration(a: Any) -> int:
    """Go's durations, and days, weeks and years of 365 days."""
    value = text(a, 1)
    wrong = BuiltinError(f'time: invalid duration "{value[:100]}"')
    rest = value[1:] if value[:1] in {"+", "-"} else value
    if rest == "0":
        return 0
    total = at = 0
    while at < len(rest):
        match = _SEGMENT.match(rest, at)
        if match is None or not (match[1] or match[2]) or match.end() == at:
            raise wrong
        unit = _UNITS[match[3]]
        total += int(match[1][:40] or 0) * unit
        if match[2]:
            digits = match[2][:18]
            total += int(digits) * unit // 10 ** len(digits)
        if total > _MAX + 1:
            raise wrong
        at = match.end()
    if not rest:
        raise wrong
    total = -total if value[:1] == "-" else total
    if not _MIN <= total <= _MAX:
        raise wrong
    return total
