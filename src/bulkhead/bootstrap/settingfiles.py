"""One settings file: read, judged, and told with line and column where it is wrong."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from bulkhead.bootstrap import targets
from bulkhead.bootstrap.model import SECTIONS, Settings
from bulkhead.core.errors import PlanRefused, SettingsError

_LIMIT: Final = 1024 * 1024
_TENANT: Final = 200
_OWN_ONLY: Final = ("store", "docker_restart")
_SYNTAX: Final = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")
_AT: Final = re.compile(r" - at `(?:key in )?\$(?P<path>[^`]*)`$")
_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\[\.\.\.\]")
_UNKNOWN: Final = re.compile(r"unknown field `(?P<name>[^`]*)`")
_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_SEE: Final = "see docs/settings.md"

Complaint = tuple[tuple[str | int, ...], str, str]
"""The path of a setting, what is wrong with its value, and a hint."""


def read(path: Path, *, own: bool) -> dict[str, Any]:
    """What the file sets; paths in it are relative to it.

    Raises:
        SettingsError: it is not TOML, or holds something that is not a setting; with its place.
    """
    import tomllib

    try:
        if path.stat().st_size > _LIMIT:
            raise SettingsError(f"larger than {_LIMIT} bytes", where=str(path))
        data = path.read_bytes()
        text = data.decode("utf-8")
        found = tomllib.loads(text)
    except RecursionError as exc:
        raise SettingsError("nested too deep", where=str(path)) from exc
    except OSError as exc:
        raise SettingsError(str(exc.strerror).lower(), where=str(path)) from exc
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        column = exc.start - data.rfind(b"\n", 0, exc.start)
        raise SettingsError("not UTF-8", where=f"{path}:{line}:{column}") from exc
    except tomllib.TOMLDecodeError as exc:
        raise _syntax(exc, text, path) from exc
    _judge(found, text, path, own=own)
    _relative(found, path.parent)
    return found


def _syntax(error: ValueError, text: str, path: Path) -> SettingsError:
    said = str(error)
    match = _SYNTAX.search(said)
    if match is None:
        return SettingsError(said.lower(), where=str(path))
    line, column = (int(match["line"]), int(match["column"])) if match["line"] else _end(text)
    return SettingsError(f"not TOML: {_SYNTAX.sub('', said).lower()}", where=f"{path}:{line}:{column}")


def _end(text: str) -> tuple[int, int]:
    from bulkhead.bootstrap import positions

    return positions.position(text, len(text))


def _judge(found: dict[str, Any], text: str, path: Path, *, own: bool) -> None:
    try:
        made = msgspec.convert(found, Settings)
    except msgspec.ValidationError as exc:
        raise _wrong(exc, text, path) from exc
    if not own:
        for name in _OWN_ONLY:
            if name in found:
                hint = f"your own settings may: ~/.config/bulkhead/config.toml, BULKHEAD_SETTINGS or BULKHEAD_{name.upper()}…"
                raise _told((name,), "a folder's file may not set it", hint, text, path, value=False)
    for place, said, hint in (*complaints(made), *_secrets(made)):
        raise _told(place, said, hint, text, path, value=True)


def _wrong(error: msgspec.ValidationError, text: str, path: Path) -> SettingsError:
    """With line and column, and the nearest name where one is unknown."""
    whole = str(error)
    match = _AT.search(whole)
    said, place = _AT.sub("", whole), match["path"] if match else ""
    names: tuple[str | int, ...] = ()
    for step in _STEP.finditer(place):
        if not (step[1] or step[2]):
            break
        names = (*names, step[1] or int(step[2]))
    unknown = _UNKNOWN.search(said)
    if unknown is None:
        return _told(names, said[:1].lower() + said[1:], _SEE, text, path, value=True)
    kind = SECTIONS.get(str(names[0]), Settings) if names else Settings
    known = [field.name for field in msgspec.structs.fields(kind)] if len(names) < 2 else []
    near = difflib.get_close_matches(unknown["name"], known, n=1)
    hint = f"is it '{near[0]}'?" if near else _SEE
    return _told((*names, unknown["name"]), "there is no such setting", hint, text, path, value=False)


def _told(
    names: tuple[str | int, ...], said: str, hint: str, text: str, path: Path, *, value: bool
) -> SettingsError:  # fmt: skip
    from bulkhead.bootstrap import positions

    line, column = positions.find(text, names, value=value)
    where = f"{path}:{line}:{column}" if line else str(path)
    spelled = "".join(f"[{name}]" if isinstance(name, int) else f".{name}" for name in names).lstrip(".")
    return SettingsError(f"{spelled}: {said}" if spelled else said, where=where, hint=hint)


def _relative(found: dict[str, Any], folder: Path) -> None:
    if found.get("exceptions"):
        found["exceptions"] = str(folder / found["exceptions"])
    if "controls" in found:
        found["controls"] = [str(folder / item) for item in found["controls"]]
    serve = found.get("serve", {})
    for name in ("tls_certificate", "tls_key"):
        if serve.get(name):
            serve[name] = str(folder / serve[name])
    if serve.get("worlds"):
        serve["worlds"] = [targets.anchored(item, folder) for item in serve["worlds"]]
    if found.get("store", {}).get("url_file"):
        found["store"]["url_file"] = str(folder / found["store"]["url_file"])


def complaints(made: Settings) -> Iterator[Complaint]:
    """What the types cannot say."""
    if not made.tenant or len(made.tenant) > _TENANT:
        yield ("tenant",), f"a tenant's name has 1 to {_TENANT} characters", ""
    try:
        made.threshold()
    except SettingsError as error:
        yield ("fail_on",), error.message, error.hint
    serve = made.serve
    try:
        serve.listen()
    except SettingsError as error:
        yield ("serve", "address"), error.message, error.hint
    for index, host in enumerate(serve.hosts):
        if not _HOST.fullmatch(host):
            yield ("serve", "hosts", index), f"'{host}' is no name of a host", "without scheme and port"
    if 0 < serve.every < 10:
        yield ("serve", "every"), "a world is scanned every 10 seconds at most", "0 scans only when asked"
    yield from _rollout(made)
    store = made.store
    if store.url and not store.url.startswith(("postgresql://", "postgres://")):
        yield ("store", "url"), "no store has such an address", "postgresql://host/database"


def pairs(made: Settings) -> Iterator[Complaint]:
    """What is wrong with settings that may come from different places."""
    serve, store = made.serve, made.store
    if serve.tls_certificate and not serve.tls_key:
        yield ("serve", "tls_certificate"), "it needs tls_key beside it", ""
    if serve.tls_key and not serve.tls_certificate:
        yield ("serve", "tls_key"), "it needs tls_certificate beside it", ""
    if store.url and store.url_file:
        yield ("store", "url_file"), "it is given beside url", "one of the two"


def unpaired(complaint: Complaint, files: Sequence[Path]) -> SettingsError:
    """The complaint with its place in the strongest file that holds the setting; without one where the environment does."""
    from bulkhead.bootstrap import positions

    names, said, hint = complaint
    for path in reversed(files):
        text = path.read_text("utf-8")
        if any(place.path == names for place in positions.places(text)):
            return _told(names, said, hint, text, path, value=True)
    return SettingsError(f"{'.'.join(map(str, names))}: {said}", hint=hint)


def _rollout(made: Settings) -> Iterator[Complaint]:
    rollout = made.rollout
    for name, least, most in (
        ("most", 1, 10_000),
        ("share", 1, 100),
        ("canary", 0, 10_000),
        ("watch_seconds", 0, 86400),
        ("wait_seconds", 1, 86400),
    ):
        if not least <= getattr(rollout, name) <= most:
            yield ("rollout", name), f"it is {least} to {most}", ""
    if not rollout.windows:
        return
    from bulkhead.mitigation import rollout as reach

    for index, window in enumerate(rollout.windows):
        try:
            reach.check((window,))
        except PlanRefused as error:
            yield ("rollout", "windows", index), error.message, error.hint


def _secrets(made: Settings) -> Iterator[Complaint]:
    """A settings file is copied, mailed and committed: it holds no password."""
    address = made.store.url.partition("://")[2]
    if ":" in address.rpartition("@")[0] or "password=" in address.partition("?")[2]:
        yield ("store", "url"), "it holds a password", "put the address into a file of mode 600: store.url_file"


def secret_address(path: Path) -> str:
    """The store's address out of a file that only its owner can read.

    Raises:
        SettingsError: others can read it, or it cannot be read.
    """
    try:
        if path.stat().st_mode & 0o077:
            raise SettingsError(
                "the file with the store's address is open to others", where=str(path), hint="chmod 600 it"
            )
        with path.open(encoding="utf-8") as file:
            found = file.read(4096).strip()
    except UnicodeDecodeError as exc:
        raise SettingsError("not UTF-8", where=str(path)) from exc
    except OSError as exc:
        raise SettingsError(str(exc.strerror).lower(), where=str(path)) from exc
    if not found.startswith(("postgresql://", "postgres://")):
        raise SettingsError(
            "it holds no address of a store", where=str(path), hint="postgresql://user:password@host/database"
        )
    return found
