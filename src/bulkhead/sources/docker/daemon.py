"""The daemon's settings in force: daemon.json with the command line's flags over it (dockerd reference, daemon.json)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

_SHORT: Final = {"D": "debug", "G": "group", "H": "host", "l": "log-level", "p": "pidfile", "s": "storage-driver"}
# Flags that may stand several times, with the key that their values are listed under.
_LISTS: Final = {
    "host": "hosts", "insecure-registry": "insecure-registries", "registry-mirror": "registry-mirrors", "label": "labels",
    "dns": "dns", "dns-opt": "dns-opts", "dns-search": "dns-search", "authorization-plugin": "authorization-plugins",
    "storage-opt": "storage-opts", "exec-opt": "exec-opts", "default-address-pool": "default-address-pools",
    "node-generic-resource": "node-generic-resources", "cdi-spec-dir": "cdi-spec-dirs",
}  # fmt: skip
# The same as name=value pairs of a mapping.
_MAPS: Final = {
    "log-opt": "log-opts", "default-ulimit": "default-ulimits", "add-runtime": "runtimes",
    "default-network-opt": "default-network-opts", "cluster-store-opt": "cluster-store-opts",
}  # fmt: skip
_SWITCHES: Final = frozenset({
    "debug", "experimental", "icc", "ip-forward", "ip-forward-no-drop", "ip-masq", "iptables", "ip6tables", "ipv6",
    "live-restore", "no-new-privileges", "raw-logs", "rootless", "selinux-enabled", "tls", "tlsverify", "userland-proxy",
    "init", "validate", "disable-legacy-registry",
})  # fmt: skip


def in_force(file: Mapping[str, Any], arguments: Sequence[str]) -> dict[str, Any]:
    """The settings in daemon.json's words. ``arguments`` are the daemon's own, without the program.

    The engine refuses to start where a setting stands in both, but for those that are merged (``labels``, ``hosts`` …).
    """
    merged: dict[str, Any] = dict(file)
    for name, value in _flags(arguments):
        if name in _LISTS:
            key = _LISTS[name]
            known = merged.get(key)
            merged[key] = [*(known if isinstance(known, list) else ()), value]
        elif name in _MAPS:
            key, (part, _, rest) = _MAPS[name], str(value).partition("=")
            known = merged.get(key)
            merged[key] = {
                **(known if isinstance(known, dict) else {}),
                part: _ulimit(part, rest) if "ulimit" in name else rest,
            }
        else:
            merged[name] = _typed(value)
    return merged


def given(arguments: Sequence[str]) -> list[str]:
    """The settings that the command line decides, in daemon.json's words, sorted."""
    return sorted({_LISTS.get(name, _MAPS.get(name, name)) for name, _ in _flags(arguments)})


def config_file(arguments: Sequence[str]) -> str:
    """Where the daemon reads its file from."""
    return next((str(value) for name, value in _flags(arguments) if name == "config-file"), "/etc/docker/daemon.json")


def _flags(arguments: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Names and values as pflag takes them: a switch has its value behind an equals sign or none."""
    index = 0
    while index < len(arguments):
        word = arguments[index]
        index += 1
        if word == "--":
            return
        if not word.startswith("-") or len(word) < 2:
            continue
        name, equals, value = word.lstrip("-").partition("=")
        if not word.startswith("--"):
            # -Hunix:///x is -H unix:///x.
            name, value, equals = name[0], value if equals and len(name) == 1 else word[2:], equals or word[2:]
        name = _SHORT.get(name, name)
        if name in _SWITCHES:
            yield name, value or "true"
            continue
        if not equals and index < len(arguments):
            value = arguments[index]
            index += 1
        yield name, value


def _typed(value: Any) -> Any:
    if value in ("true", "false"):
        return value == "true"
    return int(value) if isinstance(value, str) and value.isdecimal() and len(value) < 10 else value


def _ulimit(name: str, text: str) -> dict[str, Any]:
    soft, _, hard = text.partition(":")
    return {"Name": name, "Soft": _typed(soft), "Hard": _typed(hard or soft)}
