"""Settings: flags over ``BULKHEAD_*`` over the file of ``BULKHEAD_SETTINGS`` over ``./bulkhead.toml`` over the user's file over
``/etc/bulkhead/config.toml`` over defaults.

A scanned folder brings its own ``bulkhead.toml``. Whoever wrote that tree must not choose where findings go or which commands
run here, so ``store`` and ``docker_restart`` are refused there.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import msgspec

from bulkhead.bootstrap import settingfiles
from bulkhead.bootstrap.model import SECTIONS, Settings
from bulkhead.core.errors import SettingsError

_NOT_IN_THE_ENVIRONMENT: Final = frozenset({"parameters", "windows", *SECTIONS})
_LISTS: Final = frozenset({"controls", "skip", "hosts", "worlds", "docker_restart"})
_TRUTH: Final = {"true": True, "1": True, "false": False, "0": False}


def load(folder: Path) -> Settings:
    """The settings in force for work on ``folder``.

    Raises:
        SettingsError: a file or a variable holds something that is not a setting.
    """
    values: dict[str, Any] = {}
    files = _files(folder)
    for path, own in files:
        _over(values, settingfiles.read(path, own=own))
    _over(values, _from_environment())
    try:
        made = msgspec.convert(values, Settings)
    except msgspec.ValidationError as exc:
        raise SettingsError(str(exc), hint="see docs/settings.md") from exc
    for complaint in settingfiles.pairs(made):
        raise settingfiles.unpaired(complaint, [path for path, _ in files])
    return made


def _over(values: dict[str, Any], more: dict[str, Any]) -> None:
    """A table adds to the one of a file below it; everything else takes its place."""
    for name, value in more.items():
        known = values.get(name)
        values[name] = {**known, **value} if isinstance(known, dict) and isinstance(value, dict) else value


def _files(folder: Path) -> list[tuple[Path, bool]]:
    """The files that there are, from the weakest, and whether each is the operator's own."""
    user = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "bulkhead" / "config.toml"
    found = [
        (path, own)
        for path, own in ((Path("/etc/bulkhead/config.toml"), True), (user, True), (folder / "bulkhead.toml", False))
        if path.is_file()
    ]
    named = os.environ.get("BULKHEAD_SETTINGS")
    # One that was named and is not there is an error, not nothing.
    return [*found, (Path(named), True)] if named else found


def variables() -> dict[str, tuple[str, str]]:
    """Every environment variable with the section and the name that it sets; tables of tables have none."""
    found = {
        f"BULKHEAD_{field.name.upper()}": ("", field.name)
        for field in msgspec.structs.fields(Settings)
        if field.name not in _NOT_IN_THE_ENVIRONMENT
    }
    for section, kind in SECTIONS.items():
        for field in msgspec.structs.fields(kind):
            if field.name not in _NOT_IN_THE_ENVIRONMENT:
                found[f"BULKHEAD_{section.upper()}_{field.name.upper()}"] = (section, field.name)
    return found


def _from_environment() -> dict[str, Any]:
    """What the environment sets, each value judged where its variable can still be named."""
    values: dict[str, Any] = {}
    for variable, (section, name) in variables().items():
        text = os.environ.get(variable)
        if text is None:
            continue
        one: dict[str, Any] = {name: _typed(variable, section, name, text)}
        one = {section: one} if section else one
        try:
            made = msgspec.convert(one, Settings)
        except msgspec.ValidationError as exc:
            raise SettingsError(str(exc).partition(" - at ")[0], where=variable, hint="see docs/settings.md") from exc
        for _, said, hint in settingfiles.complaints(made):
            raise SettingsError(said, where=variable, hint=hint)
        _over(values, one)
    return values


def _typed(variable: str, section: str, name: str, text: str) -> Any:
    kind = SECTIONS[section] if section else Settings
    default = next(field.default for field in msgspec.structs.fields(kind) if field.name == name)
    if name in _LISTS:
        return [part for part in text.split(",") if part]
    if isinstance(default, bool):
        if text.lower() not in _TRUTH:
            raise SettingsError(f"'{text}' is neither true nor false", where=variable)
        return _TRUTH[text.lower()]
    if isinstance(default, int):
        if not text.isdecimal() or len(text) > 18:
            raise SettingsError(f"'{text}' is no whole number", where=variable)
        return int(text)
    return text
