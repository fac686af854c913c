"""One machine's Kubernetes into a Snapshot."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from bulkhead.core.errors import BulkheadError
from bulkhead.core.resource import Gap, Ref, Resource, Snapshot
from bulkhead.core.shapes import WRONG_SHAPE
from bulkhead.formats import recognise
from bulkhead.sources.machine import Machine
from bulkhead.sources.node import files, policies, programs, settings
from bulkhead.sources.node.programs import Program

_MANIFESTS: Final = "/etc/kubernetes/manifests"
_POLICY: Final = "/etc/containers/policy.json"
_USUAL: Final = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd")
_SERVERS: Final = frozenset(_USUAL)
_CONFIGS: Final = {"kubelet": ("KubeletConfiguration",), "kube-proxy": ("KubeProxyConfiguration",)}
_CLOCK: Final = 2.0
"""Seconds by which the boot's time and a file's may differ."""


def read(machine: Machine, origin: str) -> Snapshot:
    """Everything of the machine's Kubernetes that is ours to judge, and what could not be read.

    Args:
        machine: whose files and processes.
        origin: its name as a target, as findings tell it.
    """
    reading = _Reading(machine, origin)
    reading.programs()
    reading.static_pods()
    reading.containers_policy()
    reading.files()
    reading.told()
    return Snapshot(tuple(reading.resources), tuple(reading.gaps), tuple(reading.notes))


class _Reading:
    def __init__(self, machine: Machine, origin: str) -> None:
        self._machine = machine
        self._origin = origin
        self._key = os.urandom(32)
        self._components: list[tuple[str, Mapping[str, Any]]] = []
        self._drop_ins: list[str] = []
        self._manifests: dict[str, str] = {}
        self._hidden = False
        self.resources: list[Resource] = []
        self.gaps: list[Gap] = []
        self.notes: list[str] = []

    def _gap(self, where: str, code: str, reason: str, *hides: str, hint: str = "") -> None:
        self.gaps.append(Gap(where=f"{self._origin}{where}", code=code, reason=reason, hint=hint, hides=hides))

    def programs(self) -> None:
        for found in programs.running(self._machine, self._origin):
            if isinstance(found, Gap):
                self.gaps.append(found)
                self._hidden = True
                continue
            try:
                self._program(found)
            except BulkheadError as error:
                self._hidden = True
                where = error.where or f"/proc/{found.pid}"
                self._gap(where, error.code, f"settings of {found.name}: {error.message}", "Component", hint=error.hint)
            except WRONG_SHAPE as error:
                self._hidden = True
                reason = f"settings of {found.name} have not their shape: {error}"
                self._gap(f"/proc/{found.pid}", "B220", reason, "Component")

    def _program(self, program: Program) -> None:
        inside = self._machine.inside(program.pid)
        data, problem = settings.in_force(program, inside)
        flags = data["flags"]
        if problem is not None:
            reason = f"settings of {program.name}: {problem.message}"
            self._gap(
                problem.where or f"/proc/{program.pid}",
                problem.code,
                reason,
                *_CONFIGS.get(program.name, ("Component",)),
            )
        self._component(program.name, data)
        if program.name == "kube-apiserver":
            self._policies(inside, flags)
        named = [
            settings.text_of(flags[flag]) for flag in ("config", "openshift-config", "config-file") if flag in flags
        ]
        if program.name == "kubelet" and problem is None:
            self._drop_ins += settings.drop_ins(inside, flags)
        begun = self._machine.started(program.pid)
        for path in [*named, *([program.file] if program.file else []), *self._drop_ins]:
            written = inside.changed(path)
            if begun is not None and written is not None and written > begun + _CLOCK:
                self.notes.append(f"{path} was changed after {program.name} started: what it says may not be in force")

    def _component(self, name: str, data: Mapping[str, Any]) -> None:
        count = sum(known == name for known, _ in self._components) + 1
        self._components.append((name, data))
        uid = f"#{count}" if count > 1 else ""
        ref = Ref(source="node", kind="Component", name=name, origin=self._origin, uid=uid)
        self.resources.append(Resource(ref, data))

    def _policies(self, machine: Machine, flags: Mapping[str, Any]) -> None:
        for found in policies.read(machine, flags, self._origin, self._key):
            (self.resources if isinstance(found, Resource) else self.gaps).append(found)  # type: ignore[arg-type]

    def static_pods(self) -> None:
        """What the kubelet starts from files: the programs that do not run now, and a note where one runs otherwise."""
        running = [name for name, _ in self._components]
        for folder in self._folders():
            for path, found in self._manifests_in(folder):
                for item in found.resources:
                    if item.ref.kind != "Component":
                        continue
                    self._manifests[f"{item.ref.name}-manifest"] = path
                    data = {name: value for name, value in item.data.items() if name != "argv"}
                    if item.ref.name not in running:
                        self._component(item.ref.name, data)
                        if item.ref.name == "kube-apiserver":
                            self._policies(self._machine, data["flags"])
                    elif all(
                        data["flags"] != other["flags"] for name, other in self._components if name == item.ref.name
                    ):
                        self.notes.append(f"{item.ref.name} runs with other flags than {path} gives it")

    def _folders(self) -> list[str]:
        found = []
        for name, data in self._components:
            if name == "kubelet":
                given = data["flags"].get("pod-manifest-path") or data["config"].get("staticPodPath")
                if isinstance(given, (str, list)):
                    found.append(settings.text_of(given))
        return list(dict.fromkeys(found or [_MANIFESTS]))

    def _manifests_in(self, folder: str) -> Iterator[tuple[str, Snapshot]]:
        try:
            paths = self._machine.listed(folder)
        except OSError as error:
            self._hidden = True
            self._gap(folder, "B200", f"static pods cannot be looked at: {error.strerror}", "Component", "NodeFile")
            return
        for path in paths:
            # The kubelet takes every file there whose name begins with no dot.
            name = path.rpartition("/")[2]
            if name.startswith("."):
                continue
            try:
                data = self._machine.content(path)
            except (OSError, BulkheadError) as error:
                self._hidden = True
                self._gap(path, "B200", f"the static pod may not be read: {error}", "Component")
                continue
            found = recognise.recognise(name if name.endswith((".yaml", ".yml", ".json")) else f"{name}.yaml", data)
            self.gaps += [
                msgspec.structs.replace(gap, where=f"{self._origin}{path}", hides=("Component",)) for gap in found.gaps
            ]
            self._hidden = self._hidden or bool(found.gaps)
            yield path, found

    def containers_policy(self) -> None:
        """Whose signatures CRI-O asks for (containers-policy.json(5)); other runtimes do not read the file."""
        if self._machine.absent(_POLICY) or not any(name == "crio" for _, name in self._machine.processes()):
            return
        try:
            data = settings.document(self._machine, _POLICY)
        except BulkheadError as error:
            self._gap(_POLICY, error.code, error.message, "ContainersPolicy")
            return
        ref = Ref(source="node", kind="ContainersPolicy", name=_POLICY, origin=self._origin)
        self.resources.append(Resource(ref, data))

    def files(self) -> None:
        if not self._components and not self._traces():
            return
        usual = {f"{name}-manifest": f"{_MANIFESTS}/{name}.yaml" for name in _USUAL}
        known = files.Known(
            tuple(self._components), tuple({**usual, **self._manifests}.items()), tuple(dict.fromkeys(self._drop_ins))
        )
        for found in files.read(self._machine, known, self._origin):
            (self.resources if isinstance(found, Resource) else self.gaps).append(found)  # type: ignore[arg-type]

    def _traces(self) -> bool:
        return not all(self._machine.absent(path) for path in ("/etc/kubernetes", "/var/lib/kubelet"))

    def told(self) -> None:
        """What is said of programs that were not found: it was not judged."""
        names = {name for name, _ in self._components}
        if not names and not self._hidden:
            hint = "run it on a node of the cluster, as root"
            kinds = ("Component",) if self._traces() else ("Component", "NodeFile")
            self._gap(
                "",
                "B200",
                "no program of Kubernetes runs on this machine, as far as it may be looked at",
                *kinds,
                hint=hint,
            )
        elif "kubelet" not in names and not self._hidden:
            self._gap("", "B200", "no kubelet runs on this machine: its settings were not read", "Component")
        if names:
            self.notes.append("what the API holds is judged there: bulkhead scan kubernetes://")
        if names and not names & _SERVERS and not self._hidden:
            self.notes.append(
                f"this machine runs {', '.join(sorted(names))}: the control plane is judged where it runs"
            )
