"""What can be set."""

from __future__ import annotations

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
        image_layers: whether the files of images in a Docker engine or an account's registry are read, not only their settings.
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
    image_layers: bool = False
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
