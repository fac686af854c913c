"""Settings: flag over ``BULKHEAD_*`` over ``./bulkhead.toml`` over the user's and ``/etc/bulkhead/config.toml`` over defaults."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

from bulkhead.core.errors import SettingsError
from bulkhead.core.outcome import Severity

_LIMIT = 1024 * 1024
_TENANT = 200


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What can be set. Each name is also an environment variable: ``fail_on`` is ``BULKHEAD_FAIL_ON``.

    Attributes:
        tenant: whose findings these are.
        profile: which controls run; see ``bulkhead controls profiles``.
        fail_on: the lowest severity that makes the exit code 1; empty for never.
        exceptions: the file of the user's own exceptions, relative to the settings file.
        controls: folders of the user's own controls.
        skip: controls (ids, aliases, patterns) that do not run.
        parameters: control id to parameter to value.
    """

    tenant: str = "default"
    profile: str = "all"
    fail_on: str = "info"
    exceptions: str = ""
    controls: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    parameters: dict[str, dict[str, Any]] = {}

    def threshold(self) -> Severity | None:
        if not self.fail_on or self.fail_on == "never":
            return None
        try:
            return Severity(self.fail_on)
        except ValueError:
            raise SettingsError(f"fail_on is '{self.fail_on}'", hint=f"one of {', '.join(Severity)} or never") from None


def load(folder: Path) -> Settings:
    """The settings for a scan of ``folder``.

    Raises:
        SettingsError: a file or a variable is wrong, with its place.
    """
    values: dict[str, Any] = {}
    for path in _files(folder):
        values.update(_read(path))
    for field in msgspec.structs.fields(Settings):
        text = os.environ.get(f"BULKHEAD_{field.name.upper()}")
        if text is not None and field.name != "parameters":
            values[field.name] = text.split(",") if field.name in ("controls", "skip") else text
    try:
        made = msgspec.convert(values, Settings)
    except msgspec.ValidationError as exc:
        raise SettingsError(str(exc), where="settings") from exc
    if not made.tenant.isprintable() or not made.tenant.strip() or len(made.tenant) > _TENANT:
        raise SettingsError(f"a tenant is named by up to {_TENANT} printable characters", where="tenant")
    return made


def _files(folder: Path) -> list[Path]:
    user = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "bulkhead" / "config.toml"
    return [path for path in (Path("/etc/bulkhead/config.toml"), user, folder / "bulkhead.toml") if path.is_file()]


def _read(path: Path) -> dict[str, Any]:
    import tomllib

    if path.stat().st_size > _LIMIT:
        raise SettingsError(f"larger than {_LIMIT} bytes", where=str(path))
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except RecursionError as exc:
        raise SettingsError("nested too deep", where=str(path)) from exc
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise SettingsError(str(exc), where=str(path)) from exc
    try:
        msgspec.convert(found, Settings)
    except msgspec.ValidationError as exc:
        raise SettingsError(str(exc), where=str(path), hint="see docs/settings.md") from exc
    if found.get("exceptions"):
        found["exceptions"] = str(path.parent / found["exceptions"])
    found["controls"] = [str(path.parent / item) for item in found.get("controls", ())]
    return found
