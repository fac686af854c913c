"""Levels, versions, and the checks of each."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec

from bulkhead.engines.pss import baseline, restricted
from bulkhead.engines.pss.baseline import Found, Meta
from bulkhead.engines.pss.pods import Spec

LATEST: Final = 10_000
"""The minor version that stands for ``latest``."""
_VERSION: Final = re.compile(r"v1\.(0|[1-9][0-9]{0,3})")
Check = Callable[[Meta, Spec, int], Found]


class Level(StrEnum):
    PRIVILEGED = "privileged"
    BASELINE = "baseline"
    RESTRICTED = "restricted"


class Violation(msgspec.Struct, frozen=True):
    """``reason (detail)`` is what the API server says of it."""

    reason: str
    detail: str

    def __str__(self) -> str:
        return f"{self.reason} ({self.detail})" if self.detail else self.reason


_BASELINE: Final[tuple[Check, ...]] = (
    baseline.host_namespaces, baseline.host_path, baseline.host_ports, baseline.probe_hosts, baseline.apparmor, baseline.privileged, baseline.proc_mount, baseline.seccomp, baseline.selinux,
    baseline.sysctls, baseline.windows_host_process, baseline.capabilities,
)  # fmt: skip
_RESTRICTED: Final[tuple[Check, ...]] = (
    restricted.privilege_escalation, restricted.capabilities, restricted.proc_mount, restricted.volumes, restricted.run_as_non_root, restricted.run_as_user, restricted.seccomp,
)  # fmt: skip


def violations(pod: Mapping[str, Any], level: Level, minor: int = LATEST) -> tuple[Violation, ...]:
    """What a pod, or the template of one, violates.

    Args:
        pod: with ``metadata`` and ``spec``.
        level: of the standards.
        minor: of the Kubernetes version whose standards they are (27 for 1.27).
    """
    meta, spec = pod.get("metadata"), pod.get("spec")
    meta = meta if isinstance(meta, Mapping) else {}
    spec = spec if isinstance(spec, Mapping) else {}
    found = [Violation(*told) for check in checks(level, minor) if (told := check(meta, spec, minor)) is not None]
    return tuple(found)


def checks(level: Level, minor: int) -> tuple[Check, ...]:
    """Those of a level; the stricter one asks for more in place of some."""
    if level is Level.PRIVILEGED:
        return ()
    if level is Level.BASELINE:
        return _BASELINE
    replaced: set[Check] = {baseline.host_path}
    if minor >= 22:
        replaced.add(baseline.capabilities)
    if minor >= 19:
        replaced.add(baseline.seccomp)
    return (*(check for check in _BASELINE if check not in replaced), *_RESTRICTED)


def parse_version(text: str) -> int | None:
    """The minor version of ``v1.27``; ``LATEST`` of ``latest``; None of anything else."""
    if text == "latest":
        return LATEST
    match = _VERSION.fullmatch(text)
    return int(match[1]) if match else None
