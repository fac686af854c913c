"""Which programs of Kubernetes run on a machine, and with which words."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Final

import msgspec

from bulkhead.core.resource import Gap
from bulkhead.formats.shapes.kubernetes import COMPONENTS
from bulkhead.sources.machine import Machine

ALL_IN_ONE: Final = {"k3s": "k3s", "k0s": "k0s", "microshift": "MicroShift"}
"""Programs that hold several others inside, by their first word."""
_FIRST_WORDS: Final = frozenset({"server", "agent", "run", "controller", "worker"})
_MICROK8S: Final = "/var/snap/microk8s/current/args"
_VARIABLES: Final = {
    "${SNAP_DATA}": "/var/snap/microk8s/current", "$SNAP_DATA": "/var/snap/microk8s/current",
    "${SNAP}": "/snap/microk8s/current", "$SNAP": "/snap/microk8s/current",
}  # fmt: skip


class Program(msgspec.Struct, frozen=True):
    """One program.

    Attributes:
        name: a component's.
        pid: its process.
        words: its arguments, without the program.
        file: where its arguments stand, where that is a file of their own; empty else.
    """

    name: str
    pid: int
    words: tuple[str, ...]
    file: str = ""


def running(machine: Machine, origin: str) -> Iterator[Program | Gap]:
    """The programs, and a gap for one that holds others inside."""
    for pid, _ in machine.processes():
        words = machine.arguments(pid)
        if not words:
            continue
        if len(words) == 1:
            # k3s writes its own title, the arguments left out: "/usr/local/bin/k3s server".
            words = words[0].split() or words
        name, rest = words[0].rpartition("/")[2], words[1:]
        if name in ("hyperkube", "kubernetes") and rest:
            # One program under many names (OpenShift, distributions of old).
            name, rest = rest[0].rpartition("/")[2], rest[1:]
        if name in COMPONENTS:
            yield Program(name, pid, tuple(rest))
        elif name == "kubelite":
            yield from _microk8s(machine, pid, origin)
        elif name in ALL_IN_ONE and rest and rest[0] in _FIRST_WORDS:
            yield Gap(
                where=f"{origin}/proc/{pid}", code="B200", hides=("Component",),
                reason=f"{ALL_IN_ONE[name]} runs the programs of Kubernetes inside its own process: their settings were not read",
            )  # fmt: skip


def _microk8s(machine: Machine, pid: int, origin: str) -> Iterator[Program | Gap]:
    """MicroK8s gives each program its arguments in a file, one to a line."""
    for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"):
        path = f"{_MICROK8S}/{name}"
        if machine.absent(path):
            continue
        text = machine.text(path)
        if text is None:
            yield Gap(
                where=f"{origin}{path}", code="B200", hides=("Component",), reason=f"the arguments of {name} may not be read"
            )  # fmt: skip
            continue
        for variable, value in _VARIABLES.items():
            text = text.replace(variable, value)
        words: list[str] = []
        for line in text.splitlines():
            try:
                words += shlex.split(line, comments=True)
            except ValueError:
                yield Gap(
                    where=f"{origin}{path}", code="B220", hides=("Component",), reason="a line has a quote without its end"
                )  # fmt: skip
        yield Program(name, pid, tuple(words), path)
