"""A live engine: what it says becomes resources; what it refuses, garbles or delays is a gap, never a pass."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bulkhead.clients.docker import DockerClient, Limits
from bulkhead.core.errors import LimitExceeded, SourceError
from bulkhead.core.outcome import Outcome
from bulkhead.core.resource import Snapshot
from bulkhead.posture.evaluate import Request, evaluate
from bulkhead.sources.docker import read
from bulkhead.sources.machine import Machine
from tests.catalogue_check import catalogue
from tests.fakes.engine import INFO, container, engine, served

NOW = datetime(2026, 6, 1, tzinfo=UTC)
QUICK = Limits(answer=1_000_000, call_seconds=0.5, connect_seconds=0.5)


def snapshot(folder: Path, answers: dict[str, Any], machine: Machine | None = None) -> Snapshot:
    async def run() -> Snapshot:
        async with served(folder, answers) as socket, DockerClient(socket, limits=QUICK) as client:
            return await read(client, socket, machine=machine, now=NOW)

    return asyncio.run(run())


def outcomes(found: Snapshot, control: str) -> dict[str, Outcome]:
    request = Request(catalogue(), catalogue().named(control), keep_passes=True)
    return {finding.resource.name: finding.outcome for finding in evaluate(found, request).findings}


def test_containers_are_judged_by_the_same_controls_as_files(tmp_path: Path) -> None:
    found = snapshot(tmp_path, engine(container("good"), container("bad", Privileged=True)))
    assert outcomes(found, "container.privileged") == {"good": Outcome.PASS, "bad": Outcome.FAIL}
    assert [gap.reason for gap in found.gaps] == [
        "the engine runs on another machine: its settings and files were not read"
    ]


@pytest.mark.parametrize(
    "answer",
    [(403, b'{"message":"forbidden"}'), (500, b"oops"), (200, b"{not json"), (200, b'{"a":1}'), (200, b'"x"'), (200, b"[" * 99_999), 2.0, (200, b"[" + b"1," * 600_000 + b"1]")],
    ids=["forbidden", "failed", "garbage", "object", "text", "nested", "slow", "huge"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/containers/json", "/images/json", "/networks"])
def test_a_list_that_cannot_be_read_is_a_gap(tmp_path: Path, path: str, answer: Any) -> None:
    found = snapshot(tmp_path, engine(container("good"), **{path: answer}))
    assert any(gap.where.endswith(path) for gap in found.gaps)
    kinds = {item.ref.kind for item in found.resources}
    assert ("DockerContainer" in kinds) is (path != "/containers/json")


@pytest.mark.parametrize("answer", [(403, b"{}"), (500, b"{}"), (200, b"nonsense"), (200, b"[]"), (200, b"{}"), 2.0])
def test_a_container_that_cannot_be_read_is_a_gap_and_the_rest_is_read(tmp_path: Path, answer: Any) -> None:
    bad = container("bad")
    found = snapshot(tmp_path, engine(container("good"), bad, **{f"/containers/{bad['Id']}/json": answer}))
    assert [item.ref.name for item in found.resources if item.ref.kind == "DockerContainer"] == ["good"]
    assert [gap.hides for gap in found.gaps if bad["Id"] in gap.where] == [("DockerContainer",)]


def test_a_container_that_ends_while_it_is_read_is_no_gap(tmp_path: Path) -> None:
    gone = container("gone")
    answers = engine(container("good"), gone)
    del answers[f"/containers/{gone['Id']}/json"]
    found = snapshot(tmp_path, answers)
    assert [item.ref.name for item in found.resources if item.ref.kind == "DockerContainer"] == ["good"]
    assert not [gap for gap in found.gaps if "containers" in gap.where]


def test_what_was_not_seen_of_a_container_is_an_error(tmp_path: Path) -> None:
    """Without ``top`` nobody knows whether an SSH server runs."""
    one = container("one")
    found = snapshot(tmp_path, engine(one, **{f"/containers/{one['Id']}/top": (500, b"{}")}))
    assert outcomes(found, "docker.runtime.sshd") == {"one": Outcome.ERROR}


@pytest.mark.parametrize("answer", [(403, b"{}"), (200, b"[]"), (200, b"<html>"), 2.0])
def test_an_engine_that_does_not_say_what_it_is_is_an_error(tmp_path: Path, answer: Any) -> None:
    with pytest.raises(SourceError):
        snapshot(tmp_path, engine(**{"/info": answer}))


def test_a_socket_that_is_not_there_or_forbidden_is_an_error(tmp_path: Path) -> None:
    async def ask(socket: str) -> None:
        async with DockerClient(socket, limits=QUICK) as client:
            await client.get("/info")

    with pytest.raises(SourceError, match="cannot be asked"):
        asyncio.run(ask(str(tmp_path / "absent.sock")))
    (tmp_path / "plain").write_text("")
    with pytest.raises(SourceError, match="cannot be asked"):
        asyncio.run(ask(str(tmp_path / "plain")))


def test_an_answer_is_bounded(tmp_path: Path) -> None:
    async def ask() -> None:
        async with (
            served(tmp_path, {"/info": (200, b" " * 2_000_000)}) as socket,
            DockerClient(socket, limits=QUICK) as client,
        ):
            await client.get("/info")

    with pytest.raises(LimitExceeded):
        asyncio.run(ask())


def machine(root: Path, words: list[str], daemon_json: str | None = None) -> Machine:
    """A machine whose only dockerd has these arguments."""
    process = root / "proc" / "77"
    (process / "net").mkdir(parents=True)
    (process / "comm").write_text("dockerd\n")
    (process / "cmdline").write_text("\0".join(["/usr/bin/dockerd", *words]) + "\0")
    (process / "exe").symlink_to("/usr/bin/dockerd")
    (root / "etc" / "docker").mkdir(parents=True)
    (root / "etc" / "group").write_text("root:x:0:\ndocker:x:999:ada\n")
    (root / "etc" / "passwd").write_text("root:x:0:0::/:/bin/sh\neve:x:1001:999::/:/bin/sh\n")
    if daemon_json is not None:
        (root / "etc/docker/daemon.json").write_text(daemon_json)
    return Machine(root)


def test_settings_in_force_are_the_file_and_the_flags(tmp_path: Path) -> None:
    root = tmp_path / "root"
    found = snapshot(tmp_path, engine(), machine(root, ["--icc=false"], '{"userland-proxy": false}'))
    [daemon] = [item for item in found.resources if item.ref.kind == "DockerDaemon"]
    assert daemon.data["config"] == {"icc": False, "userland-proxy": False}
    assert daemon.data["bridge"] == {"com.docker.network.bridge.enable_icc": "true"}
    assert outcomes(found, "docker.daemon.userland-proxy") == {"host": Outcome.PASS}
    [host] = [item for item in found.resources if item.ref.kind == "DockerHost"]
    assert host.data["groups"]["docker"] == ["ada", "eve"]
    assert host.data["versions"] == {"engine": "28.0.0", "containerd": "2.0", "runc": "1.2"}
    assert not found.gaps


@pytest.mark.parametrize("text", ["{", "[]", '"x"', "{" * 50_000])
def test_a_daemon_json_that_cannot_be_read_leaves_no_settings(tmp_path: Path, text: str) -> None:
    found = snapshot(tmp_path, engine(), machine(tmp_path / "root", [], text))
    assert any("daemon.json" in gap.reason for gap in found.gaps)
    assert outcomes(found, "docker.daemon.live-restore") == {"host": Outcome.ERROR}


def test_files_of_the_engine_have_their_modes(tmp_path: Path) -> None:
    root = tmp_path / "root"
    told = machine(root, [], "{}")
    (root / "etc/docker/daemon.json").chmod(0o646)
    found = snapshot(tmp_path, engine(), told)
    files = {item.ref.uid: item.data for item in found.resources if item.ref.kind == "NodeFile"}
    assert files["docker-daemon-json"]["mode"] == "646"
    assert files["docker-daemon-json"]["owner"] == ("root" if os.geteuid() == 0 else str(os.geteuid()))
    assert files["docker-sysconfig"] == {
        "role": "docker-sysconfig", "path": "/etc/sysconfig/docker", "exists": False, "mode": "", "owner": "", "group": "",
        "audited": False,
    }  # fmt: skip


def test_listeners_are_those_of_the_process_s_network(tmp_path: Path) -> None:
    net = tmp_path / "proc" / "5" / "net"
    net.mkdir(parents=True)
    head = "  sl  local_address rem_address   st\n"
    (net / "tcp").write_text(head + "   0: 00000000:1F90 00000000:0000 0A 0\n   1: 0100007F:0050 0100007F:9999 01 0\n")
    (net / "udp").write_text(head + "   0: 00000000:0035 00000000:0000 07 0\n")
    assert Machine(tmp_path).listening(5) == ["53/udp", "8080/tcp"]
    assert Machine(tmp_path).listening(6) is None


@pytest.mark.parametrize(
    ("groups", "files"),
    [
        ("0::/system.slice/docker-abc.scope\n", {"system.slice/docker-abc.scope": {"memory.current": "5", "memory.peak": "9", "pids.current": "2"}}),
        (
            "3:pids:/docker/abc\n2:cpu,memory:/docker/abc\n1:name=systemd:/docker/abc\n0::/docker/abc\n",
            {"memory/docker/abc": {"memory.usage_in_bytes": "5", "memory.max_usage_in_bytes": "9"}, "pids/docker/abc": {"pids.current": "2"}},
        ),
    ],
)  # fmt: skip
def test_what_a_container_uses_is_counted_by_its_control_group(tmp_path: Path, groups: str, files: Any) -> None:
    (tmp_path / "proc/5").mkdir(parents=True)
    (tmp_path / "proc/5/cgroup").write_text(groups)
    for folder, counts in files.items():
        place = tmp_path / "sys/fs/cgroup" / folder
        place.mkdir(parents=True)
        for name, count in counts.items():
            (place / name).write_text(f"{count}\n")
    told = {"memory": {"usage": 5, "peak": 9}, "pids": 2}
    assert Machine(tmp_path).usage(5, "abc") == told
    assert Machine(tmp_path).usage(5, "other") is None
    assert Machine(tmp_path).usage(6, "abc") is None
    assert Machine(tmp_path).usage(5, "") is None


def test_rules_watch_only_where_their_daemon_runs(tmp_path: Path) -> None:
    (tmp_path / "etc/audit/rules.d").mkdir(parents=True)
    (tmp_path / "etc/audit/rules.d/docker.rules").write_text(
        "# -w /no -p wa\n-w /etc/docker/ -k docker\n-a always,exit -F path=/usr/bin/runc -F perm=x\n"
    )
    assert Machine(tmp_path).audited() == frozenset()
    (tmp_path / "proc/9").mkdir(parents=True)
    (tmp_path / "proc/9/comm").write_text("auditd\n")
    assert Machine(tmp_path).audited() == {"/etc/docker", "/usr/bin/runc"}


def test_swarm_is_read_where_the_node_manages_it(tmp_path: Path) -> None:
    managing = {**INFO, "Swarm": {"LocalNodeState": "active", "ControlAvailable": True}}
    cluster = {"ID": "c", "Spec": {"CAConfig": {"NodeCertExpiry": 1}, "EncryptionConfig": {"AutoLockManagers": False}}}
    node = {"Spec": {"Role": "manager"}, "ManagerStatus": {"Addr": "0.0.0.0:2377"}}
    answers = engine(**{"/info": managing, "/swarm": cluster, "/nodes": [node], "/services": []})
    found = snapshot(tmp_path, answers)
    assert outcomes(found, "docker.swarm.autolock") == {"c": Outcome.FAIL}
    assert outcomes(found, "docker.swarm.bind-interface") == {"c": Outcome.FAIL}
    refused = snapshot(tmp_path, {**answers, "/swarm": (503, b"{}")})
    assert ("SwarmCluster",) in [gap.hides for gap in refused.gaps]


def test_a_socket_that_another_program_holds_takes_no_daemon_s_settings(tmp_path: Path) -> None:
    """An engine that only speaks the API, beside a dockerd that is not asked: its settings are not the other's."""
    root = tmp_path / "root"
    beside = machine(root, ["--icc=false"], "{}")
    own = root / "proc" / str(os.getpid())
    own.mkdir()
    (own / "cmdline").write_text("/usr/bin/podman\0system\0service\0")
    (own / "comm").write_text("podman\n")
    found = snapshot(tmp_path, engine(), beside)
    [daemon] = [item for item in found.resources if item.ref.kind == "DockerDaemon"]
    assert "config" not in daemon.data
    assert ("DockerDaemon", "NodeFile") in [gap.hides for gap in found.gaps]
    assert outcomes(found, "docker.daemon.userland-proxy") == {"host": Outcome.ERROR}
