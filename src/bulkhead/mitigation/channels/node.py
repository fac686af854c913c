"""A machine's files and the settings of its Docker daemon (dockerd reference, "Configuration reload behavior")."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from bulkhead.core.control import MitigationClass
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
    return pick(data, "config", "config_file", "flags", "sockets")


def daemon_method(record: Mapping[str, Any], changed: frozenset[DocumentPath]) -> Method:
    """``reload`` where SIGHUP is enough; ``restart`` stops containers unless live restore is on."""
    if all(path[:1] == ("sockets",) for path in changed):
        return Method("sockets", _ROOT, "give the sockets their former mode and owner")
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
    return Method("restart", _ROOT, undo, "restart" if live else "outage", MitigationClass.GUARDED)


def daemon_imagined(before: Mapping[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """``info`` and ``bridge`` as the daemon would tell them with these settings."""
    old, new = before.get("config"), after.get("config")
    info = after.get("info")
    if not isinstance(old, dict) or not isinstance(new, dict) or not isinstance(info, dict):
        return after
    keys = {key for key in (*old, *new) if old.get(key) != new.get(key)}
    told = dict(info)
    for key, name in (("live-restore", "LiveRestoreEnabled"), ("experimental", "ExperimentalBuild")):
        if key in keys:
            told[name] = new.get(key) is True
    if keys & set(_OPTIONS):
        told["SecurityOptions"] = list(_security(info.get("SecurityOptions") or (), new, keys))
    if "insecure-registries" in keys:
        told["RegistryConfig"] = _registries(info.get("RegistryConfig"), new.get("insecure-registries") or ())
    if "authorization-plugins" in keys:
        told["Plugins"] = {**(info.get("Plugins") or {}), "Authorization": new.get("authorization-plugins")}
    out = {**after, "info": told}
    if "icc" in keys and isinstance(after.get("bridge"), dict):
        icc = "false" if new.get("icc") is False else "true"
        out["bridge"] = {**after["bridge"], "com.docker.network.bridge.enable_icc": icc}
    return out


_OPTIONS: Final = {"userns-remap": "userns", "no-new-privileges": "no-new-privileges", "seccomp-profile": "seccomp"}


def _security(options: Any, config: Mapping[str, Any], keys: set[str]) -> Iterator[str]:
    gone = tuple(f"name={_OPTIONS[key]}" for key in keys if key in _OPTIONS)
    yield from (str(option) for option in options if not str(option).startswith(gone))
    if "userns-remap" in keys and config.get("userns-remap") not in (None, "", "host"):
        yield "name=userns"
    if "no-new-privileges" in keys and config.get("no-new-privileges") is True:
        yield "name=no-new-privileges"
    if "seccomp-profile" in keys:
        yield f"name=seccomp,profile={config.get('seccomp-profile', 'default')}"


def _registries(told: Any, insecure: Any) -> Any:
    indexes = told.get("IndexConfigs") if isinstance(told, dict) else None
    if not isinstance(indexes, dict):
        return told
    left = {
        name: facts
        for name, facts in indexes.items()
        if not isinstance(facts, dict) or facts.get("Secure") is not False or name in insecure
    }
    return {**told, "IndexConfigs": left}


def host(data: Mapping[str, Any]) -> dict[str, Any]:
    groups = data.get("groups")
    members = pick(groups, "docker") if isinstance(groups, dict) else {}
    return {"groups": members, **pick(data, "content_trust")}


def host_method(_: Mapping[str, Any], changed: frozenset[DocumentPath]) -> Method:
    if all(path == ("groups", "docker") for path in changed):
        return Method("group", _ROOT, "put the members back into the group")
    if all(path == ("content_trust", "environment") for path in changed):
        return Method("environment", _ROOT, "take the file with the variable away again")
    refuse_outside(changed, lambda path: path[:1] in (("groups",), ("content_trust",)), "a machine's repair")
    raise DoesNotApply("members of the group and the variable are repaired one after the other")


KINDS: Final = {
    "NodeFile": Kind("node", file, file_method),
    "DockerDaemon": Kind("node", daemon, daemon_method, daemon_imagined),
    "DockerHost": Kind("node", host, host_method),
}
