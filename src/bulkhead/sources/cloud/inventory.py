"""Files that a cloud's own tool exported: arrays of JSON, one object, or one object a line. Bounded, and trusted in nothing."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from bulkhead.core.errors import LimitExceeded, ParseError, SourceError
from bulkhead.core.resource import Gap

_ENDINGS: Final = (".json", ".ndjson", ".jsonl")
# Where the tools put their items: "az rest", "az graph query", "gcloud asset" through its API.
_WRAPPERS: Final = ("value", "data", "assets", "results")


class Bounds(msgspec.Struct, frozen=True):
    """Sizes in bytes."""

    files: int = 500
    file: int = 256 * 1024 * 1024
    records: int = 200_000
    depth: int = 64


class Records(msgspec.Struct):
    """What the files hold, and what of them could not be read."""

    items: list[dict[str, Any]] = msgspec.field(default_factory=list)
    gaps: list[Gap] = msgspec.field(default_factory=list)


def load(path: str, hides: tuple[str, ...], bounds: Bounds | None = None) -> Records:
    """The records of a file, or of the files of a folder.

    Args:
        path: a file, or a folder of files that end in .json, .ndjson or .jsonl.
        hides: the kinds that may stand in what cannot be read.
        bounds: what it may cost.

    Raises:
        SourceError: there is nothing of that name, or it cannot be looked at.
    """
    limits = bounds or Bounds()
    found = Records()
    names = _files(Path(path))
    for name in names[: limits.files]:
        try:
            for item in _documents(_bytes(name, limits)):
                _keep(item, found, name, hides, limits)
        except (SourceError, ParseError) as error:
            line = error.line if isinstance(error, ParseError) else 0
            found.gaps.append(
                Gap(where=str(name), code=error.code, reason=error.message, hint=error.hint, hides=hides, line=line)
            )
    if len(names) > limits.files:
        _more(found, path, f"{len(names) - limits.files} more files are not read", hides)
    return found


def _files(path: Path) -> list[Path]:
    try:
        if not path.is_dir():
            path.stat()
            return [path]
        return sorted(item for item in path.iterdir() if item.name.lower().endswith(_ENDINGS))
    except OSError as error:
        reason = f"the inventory cannot be read: {error.strerror or type(error).__name__}"
        raise SourceError(reason, where=str(path)) from error
    except ValueError:
        raise SourceError("no file is called like that", where=repr(path.name)) from None


def _bytes(path: Path, limits: Bounds) -> bytes:
    try:
        # A pipe or a device of that name would be waited for.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise SourceError("it is no plain file", where=str(path))
            data = file.read(limits.file + 1)
    except OSError as error:
        raise SourceError(f"it cannot be read: {error.strerror or type(error).__name__}", where=str(path)) from error
    if len(data) > limits.file:
        raise LimitExceeded(f"it is larger than {limits.file} bytes", where=str(path), hint="export fewer kinds a file")
    return data


def _documents(data: bytes) -> Iterator[Any]:
    text = _utf8(data)
    try:
        yield msgspec.json.decode(text)
        return
    except RecursionError:
        raise ParseError("it is nested too deep") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        lines = text.split(b"\n")
        if not any(_whole(line) for line in lines):
            raise ParseError("it is no JSON, nor one object a line") from None
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _line(line, number)


def _whole(line: bytes) -> bool:
    """Whether a line is an object by itself."""
    return line.strip().startswith(b"{") and isinstance(_line(line, 0), dict)


class _Broken(msgspec.Struct):
    line: int


def _line(line: bytes, number: int) -> Any:
    try:
        return msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Broken(number)


def _utf8(data: bytes) -> bytes:
    """PowerShell writes UTF-16 where a redirect is asked for."""
    for mark, name in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if data.startswith(mark):
            try:
                return data[2:].decode(name).encode()
            except UnicodeError:
                raise ParseError("its text is broken") from None
    return data.removeprefix(b"\xef\xbb\xbf")


def _keep(item: Any, found: Records, path: Path, hides: tuple[str, ...], limits: Bounds) -> None:
    if isinstance(item, _Broken):
        reason = "the line is no JSON"
        found.gaps.append(Gap(where=str(path), code="B220", reason=reason, hides=hides, line=item.line))
        return
    inner = (
        next((item[key] for key in _WRAPPERS if isinstance(item.get(key), list)), None)
        if isinstance(item, dict)
        else item
    )
    parts = inner if isinstance(inner, list) else [item]
    odd = 0
    for part in parts:
        if not isinstance(part, dict) or _deeper(part, limits.depth):
            odd += 1
        elif len(found.items) >= limits.records:
            _more(found, str(path), f"more than {limits.records} records: the rest is not read", hides)
            return
        else:
            found.items.append(part)
    if odd:
        reason = f"{odd} records are no objects, or nested too deep"
        found.gaps.append(Gap(where=str(path), code="B220", reason=reason, hides=hides))


def _deeper(value: Any, left: int) -> bool:
    if left < 0:
        return True
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(_deeper(item, left - 1) for item in below)


def _more(found: Records, where: str, reason: str, hides: tuple[str, ...]) -> None:
    gap = Gap(where=where, code="B210", reason=reason, hides=hides)
    if gap not in found.gaps:
        found.gaps.append(gap)


def record(item: Any, *path: str) -> dict[str, Any]:
    """The mapping below a path; empty where there is none."""
    for name in path:
        item = item.get(name) if isinstance(item, dict) else None
    return item if isinstance(item, dict) else {}


def items_of(item: Any, name: str) -> list[dict[str, Any]]:
    """The mappings of a list; empty where there is none."""
    found = item.get(name) if isinstance(item, dict) else None
    return [part for part in found if isinstance(part, dict)] if isinstance(found, list) else []


def words(item: Any, name: str) -> list[str]:
    """The texts of a list; empty where there is none."""
    found = item.get(name) if isinstance(item, dict) else None
    return [part for part in found if isinstance(part, str)] if isinstance(found, list) else []


def word(item: Any, name: str) -> str:
    found = item.get(name) if isinstance(item, dict) else None
    return found if isinstance(found, str) else ""
