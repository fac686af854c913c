"""The checks of the level ``restricted``: what a hardened pod sets (Kubernetes, "Pod Security Standards")."""

from __future__ import annotations

from typing import Final

from bulkhead.engines.pss import baseline, pods
from bulkhead.engines.pss.baseline import Found, Meta
from bulkhead.engines.pss.pods import Spec, containers, items, named, plural, quoted, security, unique

_VOLUMES: Final = frozenset({
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret",
})  # fmt: skip
_CONFINING: Final = ("RuntimeDefault", "Localhost")


def volumes(_: Meta, spec: Spec, __: int) -> Found:
    found, types = [], set()
    for volume in items(spec, "volumes"):
        bad = sorted(name for name, value in volume.items() if name not in _VOLUMES | {"name"} and value is not None)
        if bad:
            found.append(str(volume.get("name", "")))
            types.update(bad)
    if not found:
        return None
    uses = f"{plural(len(found), 'volume', 'volumes')} {quoted(found)} {plural(len(found), 'uses', 'use')}"
    return (
        "restricted volume types",
        f"{uses} restricted volume {plural(len(types), 'type', 'types')} {quoted(unique(types))}",
    )


def privilege_escalation(_: Meta, spec: Spec, minor: int) -> Found:
    if minor < 8 or _spared(spec, minor):
        return None
    found = [item for item in containers(spec) if security(item, "allowPrivilegeEscalation") is not False]
    if not found:
        return None
    return (
        "allowPrivilegeEscalation != false",
        f"{named(found)} must set securityContext.allowPrivilegeEscalation=false",
    )


def _spared(spec: Spec, minor: int) -> bool:
    """From 1.25 on, pods of Windows need not set what only Linux has."""
    return minor >= 25 and pods.is_windows(spec)


def run_as_non_root(_: Meta, spec: Spec, minor: int) -> Found:
    if minor >= 35 and pods.has_own_users(spec):
        return None
    said = []
    whole = security(spec, "runAsNonRoot")
    wrong = [item for item in containers(spec) if security(item, "runAsNonRoot") is False]
    missing = [item for item in containers(spec) if security(item, "runAsNonRoot") is None]
    if whole is False:
        said.append("pod")
    if wrong:
        said.append(named(wrong))
    if said:
        return "runAsNonRoot != true", f"{' and '.join(said)} must not set securityContext.runAsNonRoot=false"
    if missing and whole is None:
        return "runAsNonRoot != true", f"pod or {named(missing)} must set securityContext.runAsNonRoot=true"
    return None


def run_as_user(_: Meta, spec: Spec, minor: int) -> Found:
    if minor < 23 or (minor >= 35 and pods.has_own_users(spec)):
        return None
    said = []
    if security(spec, "runAsUser") == 0:
        said.append("pod")
    found = [item for item in containers(spec) if security(item, "runAsUser") == 0]
    if found:
        said.append(named(found))
    return ("runAsUser=0", f"{' and '.join(said)} must not set runAsUser=0") if said else None


def seccomp(_: Meta, spec: Spec, minor: int) -> Found:
    if minor < 19 or _spared(spec, minor):
        return None
    whole = security(spec, "seccompProfile", "type")
    wrong = [item for item in containers(spec) if security(item, "seccompProfile", "type") not in (None, *_CONFINING)]
    said = ["pod"] if whole is not None and whole not in _CONFINING else []
    if wrong:
        said.append(named(wrong))
    if said:
        types = {security(holder, "seccompProfile", "type") for holder in (spec, *wrong)} - {None, *_CONFINING}
        return (
            "seccompProfile",
            f"{' and '.join(said)} must not set securityContext.seccompProfile.type to {quoted(unique(types))}",
        )
    missing = [item for item in containers(spec) if security(item, "seccompProfile", "type") is None]
    if missing and whole is None:
        wanted = 'securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
        return "seccompProfile", f"pod or {named(missing)} must set {wanted}"
    return None


def capabilities(_: Meta, spec: Spec, minor: int) -> Found:
    if minor < 22 or _spared(spec, minor):
        return None
    missing, adding, added = [], [], set()
    for item in containers(spec):
        dropped = security(item, "capabilities", "drop")
        if not isinstance(dropped, list) or "ALL" not in dropped:
            missing.append(item)
        given = security(item, "capabilities", "add")
        bad = [str(name) for name in given if name != "NET_BIND_SERVICE"] if isinstance(given, list) else []
        if bad:
            adding.append(item)
            added.update(bad)
    said = []
    if missing:
        said.append(f'{named(missing)} must set securityContext.capabilities.drop=["ALL"]')
    if adding:
        said.append(f"{named(adding)} must not include {quoted(unique(added))} in securityContext.capabilities.add")
    return ("unrestricted capabilities", "; ".join(said)) if said else None


def proc_mount(_: Meta, spec: Spec, minor: int) -> Found:
    """From 1.35 on ``baseline`` spares pods with users of their own; this level does not."""
    return baseline.unmasked(spec) if minor >= 35 and pods.has_own_users(spec) else None
