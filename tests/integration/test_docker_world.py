"""A real engine with containers of known faults: every verdict is right, and nothing else is said.

Each container is well made but for one thing. Those that only a bridge or a capable kernel could start are not started: the
engine tells their settings all the same.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bulkhead.bootstrap import docker as world
from bulkhead.core.finding import Finding
from bulkhead.core.outcome import Outcome
from bulkhead.core.resource import Snapshot
from bulkhead.posture.evaluate import Assessment, Request, evaluate
from tests.catalogue_check import catalogue
from tests.fakes.images import folder, item, symlink, tar
from tests.integration.engine import docker, program, require_engine

BASE = {
    "user": "--user 1000:1000", "root": "--read-only", "capabilities": "--cap-drop ALL",
    "privileges": "--security-opt no-new-privileges", "memory": "--memory 64m", "cpu": "--cpus 0.5",
    "pids": "--pids-limit 50", "restart": "--restart on-failure:5", "ulimit": "--ulimit nofile=100",
    "health": "--health-cmd true", "network": "--network none", "more": "",
}  # fmt: skip
PUBLISHED = {"docker.runtime.default-bridge"}
CAP_ALL = {
    "container.capabilities-added", "container.cap-sys-admin", "container.cap-sys-ptrace", "container.cap-sys-module",
    "container.cap-dac-read-search", "container.cap-net-raw",
}  # fmt: skip
CONDITIONS: dict[str, tuple[dict[str, str], set[str]]] = {
    "good": ({}, set()),
    "privileged": ({"more": "--privileged"}, {"container.privileged", "container.selinux"}),
    "sys-admin": ({"more": "--cap-add SYS_ADMIN"}, {"container.cap-sys-admin", "container.capabilities-added"}),
    "net-admin": ({"more": "--cap-add NET_ADMIN"}, {"container.capabilities-added"}),
    "ptrace": ({"more": "--cap-add SYS_PTRACE"}, {"container.cap-sys-ptrace", "container.capabilities-added"}),
    "module": ({"more": "--cap-add SYS_MODULE"}, {"container.cap-sys-module", "container.capabilities-added"}),
    "dac-read": ({"more": "--cap-add DAC_READ_SEARCH"}, {"container.cap-dac-read-search", "container.capabilities-added"}),
    "net-raw": ({"more": "--cap-add NET_RAW"}, {"container.cap-net-raw", "container.capabilities-added"}),
    "default-capabilities": ({"capabilities": ""}, {"container.cap-net-raw", "container.drop-all-capabilities"}),
    "host-network": ({"network": "--network host"}, {"k8s.pod.host-network"}),
    "host-pid": ({"more": "--pid host"}, {"k8s.pod.host-pid", "container.selinux"}),
    "host-ipc": ({"more": "--ipc host"}, {"k8s.pod.host-ipc", "container.selinux"}),
    "shared-ipc": ({"more": "--ipc shareable"}, {"k8s.pod.host-ipc"}),
    "host-uts": ({"more": "--uts host"}, {"k8s.pod.host-uts"}),
    "host-users": ({"more": "--userns host"}, {"k8s.pod.host-users"}),
    "socket": ({"more": "-v /var/run/docker.sock:/s"}, {"container.runtime-socket", "container.hostpath-sensitive"}),
    "etc": ({"more": "-v /etc:/host/etc"}, {"container.hostpath-sensitive"}),
    "etc-read-only": ({"more": "-v /etc:/host/etc:ro"}, {"container.hostpath-sensitive"}),
    "root-folder": ({"more": "-v /:/host"}, {"container.hostpath-sensitive"}),
    "proc": ({"more": "-v /proc:/host/proc"}, {"container.hostpath-sensitive"}),
    "own-folder": ({"more": "-v /srv/data:/data"}, set()),
    "volume": ({"more": "--mount type=tmpfs,dst=/data"}, set()),
    "propagation": ({"more": "-v /srv:/srv:shared"}, {"container.mount-propagation"}),
    "seccomp": ({"more": "--security-opt seccomp=unconfined"}, {"container.seccomp-unconfined"}),
    "apparmor": ({"more": "--security-opt apparmor=unconfined"}, {"container.apparmor"}),
    "selinux": ({"more": "--security-opt label=disable"}, {"container.selinux"}),
    "privileges": ({"privileges": ""}, {"container.privilege-escalation"}),
    "writable": ({"root": ""}, {"container.readonly-rootfs"}),
    "no-memory": ({"memory": ""}, {"container.memory-limit"}),
    "no-cpu": ({"cpu": ""}, {"container.cpu-limit"}),
    "no-pids": ({"pids": ""}, {"container.pids-limit"}),
    "unlimited-pids": ({"pids": "--pids-limit -1"}, {"container.pids-limit"}),
    "always": ({"restart": "--restart always"}, {"container.restart-policy"}),
    "often": ({"restart": "--restart on-failure:50"}, {"container.restart-policy"}),
    "never": ({"restart": ""}, set()),
    "root": ({"user": "--user root"}, {"container.run-as-non-root", "container.run-as-user-zero"}),
    "uid-zero": ({"user": "--user 0:0"}, {"container.run-as-non-root", "container.run-as-user-zero"}),
    "no-user": ({"user": ""}, {"container.run-as-non-root", "container.run-as-user-zero"}),
    "uid-zero-group": ({"user": "--user 0:1000"}, {"container.run-as-non-root", "container.run-as-user-zero"}),
    "root-root": ({"user": "--user root:root"}, {"container.run-as-non-root", "container.run-as-user-zero"}),
    "uid-zeros": ({"user": "--user 00"}, {"container.run-as-non-root", "container.run-as-user-zero"}),
    "group-zero": ({"user": "--user 1000:0"}, set()),
    "retries-unlimited": ({"restart": "--restart on-failure"}, {"container.restart-policy"}),
    "unless-stopped": ({"restart": "--restart unless-stopped"}, {"container.restart-policy"}),
    "cap-all": ({"more": "--cap-add ALL"}, CAP_ALL),
    "cap-prefix": ({"more": "--cap-add CAP_SYS_ADMIN"}, {"container.cap-sys-admin", "container.capabilities-added"}),
    "cap-bind": ({"more": "--cap-add NET_BIND_SERVICE"}, set()),
    "socket-read-only": ({"more": "-v /var/run/docker.sock:/s:ro"}, {"container.runtime-socket", "container.hostpath-sensitive"}),
    "run-folder": ({"more": "-v /run:/host-run:ro"}, {"container.runtime-socket", "container.hostpath-sensitive"}),
    "var-run-folder": ({"more": "-v /var/run:/host-run"}, {"container.runtime-socket", "container.hostpath-sensitive"}),
    "shared-below": ({"more": "-v /srv:/srv:rshared"}, {"container.mount-propagation"}),
    "slave-propagation": ({"more": "-v /srv:/srv:rslave"}, set()),
    "privileges-false": ({"privileges": "--security-opt no-new-privileges=false"}, {"container.privilege-escalation"}),
    "privileges-true": ({"privileges": "--security-opt no-new-privileges:true"}, set()),
    "health-none": ({"health": "--no-healthcheck"}, {"container.liveness-probe"}),
    "log-none": ({"more": "--log-driver none"}, {"docker.runtime.logging"}),
    "own-cgroup-namespace": ({"more": "--cgroupns private"}, set()),
    "token": ({"more": "-e GITHUB_TOKEN=ghp_0123456789abcdefghijABCDEFGHIJ012345"}, {"k8s.secrets.env-literal"}),
    "six-published": ({"network": "", "more": "-p [::]:8081:8081"}, PUBLISHED | {"container.published-address"}),
    "device": ({"more": "--device /dev/null:/dev/x"}, {"container.host-device"}),
    "cgroup": ({"more": "--cgroup-parent /mine"}, {"container.cgroup-parent"}),
    "no-ulimit": ({"ulimit": ""}, {"container.ulimits"}),
    "secret": ({"more": "-e DB_PASSWORD=Tr0ub4dor3x"}, {"k8s.secrets.env-literal"}),
    "no-health": ({"health": ""}, {"container.liveness-probe"}),
    "published": ({"network": "", "more": "-p 8080:8080"}, PUBLISHED | {"container.published-address"}),
    "loopback": ({"network": "", "more": "-p 127.0.0.1:8080:8080"}, PUBLISHED),
    "low-port": ({"network": "", "more": "-p 127.0.0.1:53:8053"}, PUBLISHED | {"container.privileged-host-port"}),
    "ssh-port": ({"network": "", "more": "-p 127.0.0.1:2222:22"}, PUBLISHED | {"container.ssh-port"}),
}  # fmt: skip
# What holds for every container made from an image that was never pushed.
ALWAYS = {"container.image-digest"}
# Two workers of one run share the engine.
OWN = f"bulkhead-world-{os.environ.get('PYTEST_XDIST_WORKER', '')}{os.getpid()}"
PREFIX, IMAGE, MOVING = f"{OWN}-", f"{OWN}:1", f"{OWN}:moving"


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    require_engine()
    busybox = Path(program("busybox", "busybox-static")).read_bytes()
    applets = (symlink(f"bin/{applet}", "busybox") for applet in ("sh", "sleep", "nc", "true"))
    layer = tar(
        folder("bin"),
        folder("etc"),
        item("bin/busybox", busybox, mode=0o755),
        *applets,
        item("bin/sshd", b"", mode=0o755),
    )
    docker("import", "-", IMAGE, data=layer)
    yield IMAGE
    docker("rmi", "-f", IMAGE)


@pytest.fixture(scope="module")
def prepared(image: str) -> Iterator[None]:
    try:
        for name, (changed, _) in CONDITIONS.items():
            words = shlex.split(" ".join({**BASE, **changed}.values()))
            docker("create", "--name", PREFIX + name, *words, image, "/bin/sleep", "1000")
        yield
    finally:
        docker("rm", "-f", *(PREFIX + name for name in CONDITIONS))


def read() -> Snapshot:
    return world.read(world.address("docker://"))


def judged(snapshot: Snapshot) -> Assessment:
    return evaluate(snapshot, Request(catalogue(), catalogue().controls))


def said(findings: tuple[Finding, ...], name: str) -> set[str]:
    return {
        finding.control if finding.outcome is Outcome.FAIL else f"{finding.outcome}: {finding.control}"
        for finding in findings
        if finding.resource.kind == "DockerContainer" and finding.resource.name == PREFIX + name
    }


@pytest.mark.usefixtures("prepared")
def test_every_condition_is_found_and_nothing_else() -> None:
    findings = judged(read()).findings
    wrong = {
        name: sorted(said(findings, name) ^ (expected | ALWAYS))
        for name, (_, expected) in CONDITIONS.items()
        if said(findings, name) != expected | ALWAYS
    }
    assert wrong == {}


def test_what_a_running_container_does_is_seen_from_outside(image: str, tmp_path: Path) -> None:
    """Processes, listeners, sessions and a tag that moved on; nothing is run inside by us."""
    name = f"{PREFIX}running"
    script = tmp_path / "sshd"
    script.write_text("#!/bin/sh\nwhile true; do sleep 1; done\n")
    script.chmod(0o755)
    subprocess.run(["docker", "tag", image, MOVING], check=True)
    try:
        docker("run", "-d", "--name", name, "--network", "none", "-v", f"{script}:/bin/sshd:ro", MOVING, "/bin/sh", "-c", "nc -l -p 8080 & exec /bin/sshd")  # fmt: skip
        docker("exec", "-d", "--user", "0", name, "/bin/sleep", "60")
        other = subprocess.run(["docker", "commit", name, MOVING], check=True, capture_output=True)
        assert other.stdout
        snapshot = read()
        [found] = [item for item in snapshot.resources if item.ref.name == name]
        assert found.data["Observed"]["listening"] == ["8080/tcp"]
        assert any("/bin/sshd" in line for line in found.data["Observed"]["processes"])
        assert found.data["Observed"]["execs"] == [{"command": "/bin/sleep 60", "user": "0", "privileged": False}]
        controls = said(judged(snapshot).findings, "running")
        assert {"docker.runtime.sshd", "docker.runtime.exec-root", "docker.runtime.image-current"} <= controls
        assert not {"error: docker.runtime.open-ports", "docker.runtime.exec-privileged"} & controls
    finally:
        docker("rm", "-f", name)
        docker("rmi", "-f", MOVING)


def test_the_engine_and_its_machine_are_read() -> None:
    require_engine()
    snapshot = read()
    assert [gap for gap in snapshot.gaps if "Docker" in "".join(gap.hides)] == []
    by_kind = {item.ref.kind: item.data for item in snapshot.resources}
    config = by_kind["DockerDaemon"]["config"]
    assert str(config.get("data-root", "/var/lib/docker")) == by_kind["DockerDaemon"]["info"]["DockerRootDir"]
    assert by_kind["DockerDaemon"]["sockets"][0]["mode"] == "660"
    assert by_kind["DockerHost"]["versions"]["engine"]
    files = {item.ref.uid: item.data for item in snapshot.resources if item.ref.kind == "NodeFile"}
    assert files["dockerd"]["exists"]
    assert files["docker-data"]["mode"] in ("710", "711", "700")
    failing = {finding.control for finding in judged(snapshot).findings if finding.outcome is Outcome.FAIL}
    assert ("docker.daemon.iptables" in failing) is (config.get("iptables") is False)
    assert ("docker.daemon.no-new-privileges" in failing) is (config.get("no-new-privileges") is not True)
