"""Go's layouts of times: a layout is the time 2006-01-02 15:04:05.000 of the zone MST (-0700), written as it is wanted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

from bulkhead.core.patterns import later
from bulkhead.engines.rego.errors import BuiltinError

FORMATS = {
    "ANSIC": "Mon Jan _2 15:04:05 2006",
    "UnixDate": "Mon Jan _2 15:04:05 MST 2006",
    "RubyDate": "Mon Jan 02 15:04:05 -0700 2006",
    "RFC822": "02 Jan 06 15:04 MST",
    "RFC822Z": "02 Jan 06 15:04 -0700",
    "RFC850": "Monday, 02-Jan-06 15:04:05 MST",
    "RFC1123": "Mon, 02 Jan 2006 15:04:05 MST",
    "RFC1123Z": "Mon, 02 Jan 2006 15:04:05 -0700",
    "RFC3339": "2006-01-02T15:04:05Z07:00",
    "RFC3339Nano": "2006-01-02T15:04:05.999999999Z07:00",
}
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_PART = later(
    r"January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|01|02|03|04|05|06|002|1(?!5)|15|2006|_2006|__2|_2|2|3|4|5|PM|pm"
    r"|-07:00:00|-070000|-07:00|-0700|-07|Z07:00:00|Z070000|Z07:00|Z0700|Z07|[.,]0+(?![0-9])|[.,]9+(?![0-9])"
)
_ZONE_NAME = later(r"[+-][0-9]{2}(?:[0-9]{2})?|[A-Z]{3,4}T?|ChST|MeST|WITA")
_MAX_LAYOUT = 1_000


@lru_cache(maxsize=128)
def _parts(layout: str) -> tuple[tuple[bool, str], ...]:
    """Text and parts of the reference time, in turn."""
    if len(layout) > _MAX_LAYOUT:
        raise BuiltinError("a layout is too long")
    out: list[tuple[bool, str]] = []
    at = 0
    for match in _PART.finditer(layout):
        if match.start() > at:
            out.append((False, layout[at : match.start()]))
        part = match.group()
        if part == "_2006":
            out.append((False, "_"))
            part = "2006"
        out.append((True, part))
        at = match.end()
    if at < len(layout):
        out.append((False, layout[at:]))
    return tuple(out)


# Writing


def format_layout(layout: str, when: datetime, nanoseconds: int) -> str:
    return "".join(_written(part, when, nanoseconds) if known else part for known, part in _parts(layout))


_WRITERS: dict[str, Callable[[datetime], str]] = {
    "2006": lambda t: f"{t.year:04d}",
    "06": lambda t: f"{t.year % 100:02d}",
    "January": lambda t: _MONTHS[t.month - 1],
    "Jan": lambda t: _MONTHS[t.month - 1][:3],
    "01": lambda t: f"{t.month:02d}",
    "1": lambda t: str(t.month),
    "Monday": lambda t: _DAYS[t.weekday()],
    "Mon": lambda t: _DAYS[t.weekday()][:3],
    "02": lambda t: f"{t.day:02d}",
    "_2": lambda t: f"{t.day:2d}",
    "2": lambda t: str(t.day),
    "002": lambda t: f"{t.timetuple().tm_yday:03d}",
    "__2": lambda t: f"{t.timetuple().tm_yday:3d}",
    "15": lambda t: f"{t.hour:02d}",
    "03": lambda t: f"{t.hour % 12 or 12:02d}",
    "3": lambda t: str(t.hour % 12 or 12),
    "04": lambda t: f"{t.minute:02d}",
    "4": lambda t: str(t.minute),
    "05": lambda t: f"{t.second:02d}",
    "5": lambda t: str(t.second),
    "PM": lambda t: "PM" if t.hour >= 12 else "AM",
    "pm": lambda t: "pm" if t.hour >= 12 else "am",
}


def _written(part: str, when: datetime, nanoseconds: int) -> str:
    writer = _WRITERS.get(part)
    if writer is not None:
        return writer(when)
    if part[0] in ".,":
        digits = f"{nanoseconds:09d}"[: len(part) - 1]
        if part[1] == "0":
            return part[0] + digits.ljust(len(part) - 1, "0")
        digits = digits.rstrip("0")
        return part[0] + digits if digits else ""
    offset = int((when.utcoffset() or timedelta()).total_seconds())
    if part == "MST":
        return when.tzname() or _offset("-0700", offset)
    if part[0] == "Z":
        return "Z" if offset == 0 else _offset("-" + part[1:], offset)
    return _offset(part, offset)


def _offset(part: str, offset: int) -> str:
    sign = "-" if offset < 0 else "+"
    hours, rest = divmod(abs(offset), 3600)
    minutes, seconds = divmod(rest, 60)
    colon = ":" if ":" in part else ""
    text = f"{sign}{hours:02d}"
    if part == "-07":
        return text
    text += f"{colon}{minutes:02d}"
    return text + (f"{colon}{seconds:02d}" if part in {"-07:00:00", "-070000"} else "")


# Reading


class _Reading:
    """One text being read."""

    def __init__(self, layout: str, value: str) -> None:
        self.layout = layout
        self.value = value
        self.rest = value
        self.fields: dict[str, int] = {}
        self.offset: int | None = None
        self.zone = ""
        self.afternoon: bool | None = None

    def wrong(self, detail: str = "") -> BuiltinError:
        shown = f'parsing time "{self.value[:100]}" as "{self.layout[:100]}"'
        return BuiltinError(f"{shown}: {detail}" if detail else f"{shown}: cannot parse")

    def text(self, wanted: str) -> None:
        """Spaces in a layout stand for any number of them."""
        for char in wanted:
            if char == " ":
                if self.rest and self.rest[0] != " ":
                    raise self.wrong()
                self.rest = self.rest.lstrip(" ")
            elif self.rest.startswith(char):
                self.rest = self.rest[1:]
            else:
                raise self.wrong()

    def number(self, name: str, least: int, most: int) -> int:
        size = 0
        while size < most and self.rest[size : size + 1].isdecimal() and self.rest[size].isascii():
            size += 1
        if size < least:
            raise self.wrong()
        value = int(self.rest[:size])
        self.rest = self.rest[size:]
        self.fields[name] = value
        return value

    def name(self, names: tuple[str, ...], size: int | None) -> int:
        lowered = self.rest.lower()
        for number, name in enumerate(names):
            wanted = name[:size].lower()
            if lowered.startswith(wanted):
                self.rest = self.rest[len(wanted) :]
                return number
        raise self.wrong()

    def fraction(self) -> None:
        """What follows a point or a comma."""
        size = 1
        while self.rest[size : size + 1].isdecimal() and self.rest[size].isascii():
            size += 1
        self.fields["nano"] = int(self.rest[1:size][:9].ljust(9, "0"))
        self.rest = self.rest[size:]

    def signed(self, part: str) -> None:
        colon = ":" if ":" in part else ""
        count = {"-07": 1, "-0700": 2, "-07:00": 2}.get(part, 3)
        pattern = r"([+-])([0-9]{2})" + rf"{colon}([0-9]{{2}})" * (count - 1)
        match = later(pattern).match(self.rest)
        if match is None:
            raise self.wrong()
        numbers = [int(group) for group in match.groups()[1:]]
        if numbers[0] > 24 or any(number >= 60 for number in numbers[1:]):
            raise self.wrong("time zone offset out of range")
        seconds = sum(number * scale for number, scale in zip(numbers, (3600, 60, 1), strict=False))
        self.offset = -seconds if match[1] == "-" else seconds
        self.rest = self.rest[match.end() :]


_NUMBERS: dict[str, tuple[str, int, int]] = {
    "2006": ("year", 4, 4), "01": ("month", 2, 2), "1": ("month", 1, 2), "02": ("day", 2, 2), "_2": ("day", 1, 2), "2": ("day", 1, 2),
    "002": ("yday", 3, 3), "__2": ("yday", 1, 3), "15": ("hour", 1, 2), "03": ("hour12", 2, 2), "3": ("hour12", 1, 2),
    "04": ("minute", 2, 2), "4": ("minute", 1, 2), "05": ("second", 2, 2), "5": ("second", 1, 2),
}  # fmt: skip


def _read(reading: _Reading, part: str, *, fraction_follows: bool) -> None:
    if part in _NUMBERS:
        if part[0] == "_":
            reading.rest = reading.rest.lstrip(" ")
        name, least, most = _NUMBERS[part]
        reading.number(name, least, most)
        # Seconds may have a fraction that the layout does not show.
        if name == "second" and not fraction_follows and later(r"[.,][0-9]").match(reading.rest):
            reading.fraction()
    elif part == "06":
        year = reading.number("year", 2, 2)
        reading.fields["year"] = year + (1900 if year >= 69 else 2000)
    elif part in {"January", "Jan"}:
        reading.fields["month"] = reading.name(_MONTHS, None if part == "January" else 3) + 1
    elif part in {"Monday", "Mon"}:
        reading.name(_DAYS, None if part == "Monday" else 3)
    elif part in {"PM", "pm"}:
        found = reading.rest[:2]
        if found not in {"AM", "PM"} if part == "PM" else found not in {"am", "pm"}:
            raise reading.wrong()
        reading.afternoon = found.lower() == "pm"
        reading.rest = reading.rest[2:]
    elif part[0] in ".,":
        digits = later(r"[.,][0-9]+").match(reading.rest)
        if part[1] == "0":
            if digits is None or digits.end() != len(part):
                raise reading.wrong()
            reading.fraction()
        elif digits is not None:
            reading.fraction()
    elif part == "MST":
        match = _ZONE_NAME.match(reading.rest)
        if match is None:
            raise reading.wrong()
        reading.zone = match.group()
        reading.rest = reading.rest[match.end() :]
    elif part[0] == "Z":
        if reading.rest.startswith("Z"):
            reading.rest, reading.offset = reading.rest[1:], 0
        else:
            reading.signed("-" + part[1:])
    else:
        reading.signed(part)


def parse_layout(layout: str, value: str) -> tuple[datetime, int]:
    """The second, and the nanoseconds in it.

    Raises:
        BuiltinError: the text does not follow the layout.
    """
    reading = _Reading(layout, value)
    parts = _parts(layout)
    for number, (known, part) in enumerate(parts):
        if not known:
            reading.text(part)
            continue
        follows = parts[number + 1] if number + 1 < len(parts) else (False, "")
        _read(reading, part, fraction_follows=follows[0] and follows[1][0] in ".,")
    if reading.rest:
        raise reading.wrong(f'extra text: "{reading.rest[:100]}"')
    return _when(reading)


def _when(reading: _Reading) -> tuple[datetime, int]:
    given = reading.fields
    hour = given.get("hour", 0)
    if "hour12" in given:
        hour = given["hour12"]
        if hour > 12:
            raise reading.wrong("hour out of range")
    if reading.afternoon is not None and hour <= 12:
        hour = hour % 12 + (12 if reading.afternoon else 0)
    zone = UTC if not reading.offset else timezone(timedelta(seconds=reading.offset))
    year = given.get("year", 0)
    try:
        when = datetime(year or 1, given.get("month", 1), given.get("day", 1), hour, given.get("minute", 0), given.get("second", 0), tzinfo=zone)  # fmt: skip
        if "yday" in given:
            when = when.replace(month=1, day=1) + timedelta(days=given["yday"] - 1)
    except (ValueError, OverflowError) as error:
        raise reading.wrong(f"{error}".split(" must be")[0] + " out of range") from None
    return when, given.get("nano", 0)
