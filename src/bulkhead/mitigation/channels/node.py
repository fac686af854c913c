"""A machine's files and the settings of its Docker daemon (dockerd reference, "Configuration reload behavior")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bulkhead.core.resource import DocumentPath
from bulkhead.mitigation.operations import DoesNotApply
from bulkhead.mitigation.records import Kind, Method, pick, refuse_outside

RELOADABLE: Final = frozenset({
    "debug", "labels", "live-restore", "max-concurrent-downloads", "max-concurrent-uploads", "max-download-attempts",
    "default-runtime", "runtimes", "authorization-plugins", "allow-nondistributable-artifacts", "insecure-registries",
    "registry-mirrors", "shutdown-timeout", "features",
})  # fmt: skip
"""What the daemon takes from daemon.json on SIGHUP, without a restart."""
_ROOT = ("root on the machine",)


def file(data: Mapping[str, Any]) -> dict[str, Any]:
    return pick(data, "role", "path", "exists", "mode", "owner", "group", "audited")


def file_method(record: Mapping[str, Any], changed: frozenset[DocumentPath]) -> Method:
    names = {path[0] for path in changed}
    refuse_outside(changed, lambda path: path[0] in ("mode", "owner", "group", "audited"), "a file's repair")
    if names == {"audited"}:
        return Method("audit-rule", _ROOT, "take the rule's file away and load the rules again")
    if "audited" in names:
        raise DoesNotApply("modes and audit rules are repaired one after the other")
    if record.get("exists") is not True:
        raise DoesNotApply("there is no such file")
    return Method("mode", _ROOT, "give the file its former mode and owner")


def daemon(data: Mapping[str, Any]) -> dict[str, Any]:
    return pick(data, "config", "config_file", "flags")


def daemon_method(record: Mapping[str, Any], changed: frozenset[DocumentPath]) -> Method:
    """``reload`` where SIGHUP is enough; ``restart`` stops containers unless live restore is on."""
    refuse_outside(changed, lambda path: path[:1] == ("config",) and len(path) > 1, "daemon.json")
    keys = {str(path[1]) for path in changed}
    flags = sorted(keys & set(record.get("flags") or ()))
    if flags:
        raise DoesNotApply(
            f"the daemon's command line sets {', '.join(flags)}: it would not start with both; change its unit"
        )
    undo = "write back daemon.json as it was, byte for byte, and have the daemon read it"
    if keys <= RELOADABLE:
        return Method("reload", _ROOT, undo)
    live = (record.get("config") or {}).get("live-restore") is True
    return Method("restart", _ROOT, undo, "restart" if live else "outage")


KINDS: Final = {
    "NodeFile": Kind("node", file, file_method),
    "DockerDaemon": Kind("node", daemon, daemon_method),
}
