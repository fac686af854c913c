"""Settings: flags over ``BULKHEAD_*`` over the file of ``BULKHEAD_SETTINGS`` over ``./bulkhead.toml`` over the user's file over
``/etc/bulkhead/config.toml`` over defaults.

A scanned folder brings its own ``bulkhead.toml``. Whoever wrote that tree must not choose where findings go or which commands
run here, so ``store`` and ``docker_restart`` are refused there.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec

from bulkhead.core.errors import SettingsError
from bulkhead.core.outcome import Severity
from bulkhead.core.plan import Rollout

_Seconds = Annotated[int, msgspec.Meta(ge=0, le=31 * 86400)]
_Names = Annotated[tuple[str, ...], msgspec.Meta(max_length=100)]


class Serve(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``bulkhead serve``.

    Attributes:
        address: ``host:port``. Without TLS only an address of this machine's loopback.
        tls_certificate, tls_key: PEM files, read again when they change.
        hosts: names under which the pages may be asked for, besides the address's own.
        metrics_open: metrics are told without a token; only on loopback.
        log: the form of the lines on standard error.
        log_level: the least that is told there.
        drain_seconds: how long requests under way may take when it stops.
        worlds: what is scanned: folders and live targets.
        every: seconds between two scans of a world; 0 for only when asked.
    """

    address: str = "127.0.0.1:8787"
    tls_certificate: str = ""
    tls_key: str = ""
    hosts: _Names = ()
    metrics_open: bool = False
    log: Literal["json", "text"] = "json"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    drain_seconds: _Seconds = 10
    worlds: _Names = ()
    every: _Seconds = 3600

    def listen(self) -> tuple[str, int]:
        """Host and port.

        Raises:
            SettingsError: it is not an address of a machine with a port.
        """
        import ipaddress

        host, colon, port = self.address.rpartition(":")
        bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        try:
            name = "127.0.0.1" if bare == "localhost" else str(ipaddress.ip_address(bare))
        except ValueError:
            name = ""
        if not colon or not name or (":" in name) != (bare != host) or not port.isdecimal() or int(port) > 65535:
            raise SettingsError(
                f"'{self.address}' is no address with a port", hint="127.0.0.1:8787, [::1]:8787 or localhost:8787"
            )
        return name, int(port)

    @property
    def tls(self) -> tuple[str, str] | None:
        return (self.tls_certificate, self.tls_key) if self.tls_certificate else None


class Store(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where findings and journal are kept: SQLite in the state folder, or PostgreSQL.

    Attributes:
        url: ``postgresql://…`` without a password; empty for SQLite.
        url_file: a file that holds the address with its password, mode 0600.
    """

    url: str = ""
    url_file: str = ""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What can be set. Each name is also an environment variable: ``fail_on`` is ``BULKHEAD_FAIL_ON``.

    Attributes:
        tenant: whose findings these are.
        profile: which controls run when the command does not say.
        fail_on: the lowest severity that makes the exit code 1; empty for info, ``never`` for none.
        exceptions: a file of agreed exceptions, relative to the settings file.
        controls: folders of the user's own controls.
        skip: controls (ids, aliases, patterns) that do not run.
        parameters: control id to parameter to value.
        docker_restart: the words of the command that restarts the Docker daemon where systemd does not run it.
        rollout: how far and how fast repairs of live worlds go.
        serve: ``bulkhead serve``.
        store: where findings and journal are kept.
    """

    tenant: str = "default"
    profile: str = "all"
    fail_on: str = ""
    exceptions: str = ""
    controls: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    parameters: dict[str, dict[str, Any]] = {}
    docker_restart: tuple[str, ...] = ()
    rollout: Rollout = Rollout()
    serve: Serve = Serve()
    store: Store = Store()

    def threshold(self) -> Severity | None:
        if not self.fail_on or self.fail_on == "never":
            return None if self.fail_on else Severity.INFO
        try:
            return Severity(self.fail_on)
        except ValueError as exc:
            raise SettingsError(
                f"no severity is called '{self.fail_on}'", hint=f"one of {', '.join(Severity)}"
            ) from exc


SECTIONS: Final[dict[str, type[msgspec.Struct]]] = {"serve": Serve, "store": Store, "rollout": Rollout}
_NOT_IN_THE_ENVIRONMENT: Final = frozenset({"parameters", "windows", *SECTIONS})
_LISTS: Final = frozenset({"controls", "skip", "hosts", "worlds", "docker_restart"})
_TRUTH: Final = {"true": True, "1": True, "false": False, "0": False}


def load(folder: Path) -> Settings:
    """The settings in force for work on ``folder``.

    Raises:
        SettingsError: a file or a variable holds something that is not a setting.
    """
    from bulkhead.bootstrap import settingfiles

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
    from bulkhead.bootstrap import settingfiles

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
