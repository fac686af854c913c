"""Every repair of running containers on a real engine: applied, proved by a fresh reading, taken back; and what goes wrong."""

from __future__ import annotations

import asyncio
import json
import shlex
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from bulkhead.app import live
from bulkhead.app.live import Applied
from bulkhead.app.ports import EntryState
from bulkhead.bootstrap import running
from bulkhead.core.errors import BulkheadError, Conflict
from bulkhead.core.plan import Rollout
from tests.integration.livework import Work
from tests.integration.own_engine import IMAGE, Engine, own_engine

RUN = "--user 1000:1000 --read-only --cap-drop ALL --security-opt no-new-privileges --memory 64m --cpus 0.5 --pids-limit 50 --restart on-failure:5 --ulimit nofile=100:100 --network none --stop-timeout 1"
# What is left out of RUN, what is added, the control that is repaired, and whether the container is made anew for it.
FAULTS: dict[str, tuple[str, str, str, bool]] = {
    "memory": ("--memory 64m", "", "container.memory-limit", False),
    "cpu": ("--cpus 0.5", "", "container.cpu-limit", False),
    "pids": ("--pids-limit 50", "", "container.pids-limit", False),
    "restart": ("--restart on-failure:5", "--restart always", "container.restart-policy", False),
    "writable": ("--read-only", "", "container.readonly-rootfs", True),
    "capabilities": ("--cap-drop ALL", "", "container.drop-all-capabilities", True),
    "net-raw": ("", "--cap-add NET_RAW", "container.cap-net-raw", True),
    "net-admin": ("", "--cap-add NET_ADMIN", "container.capabilities-added", True),
    "sys-admin": ("", "--cap-add SYS_ADMIN", "container.cap-sys-admin", True),
    "ptrace": ("", "--cap-add SYS_PTRACE", "container.cap-sys-ptrace", True),
    "privileges": ("--security-opt no-new-privileges", "", "container.privilege-escalation", True),
    "root": ("--user 1000:1000", "--user 0:0", "container.run-as-user-zero", True),
    "seccomp": ("", "--security-opt seccomp=unconfined", "container.seccomp-unconfined", True),
    "label": ("", "--security-opt label=disable", "container.selinux", True),
    "host-pid": ("", "--pid host", "k8s.pod.host-pid", True),
    "host-ipc": ("", "--ipc host", "k8s.pod.host-ipc", True),
    "host-uts": ("", "--uts host", "k8s.pod.host-uts", True),
    "host-network": ("--network none", "--network host", "k8s.pod.host-network", True),
    "published": ("--network none", "-p 18080:8080", "container.published-address", True),
    "socket": ("", "-v {folder}/docker.sock:/s", "container.runtime-socket", True),
    "etc": ("", "-v /etc:/host:ro", "container.hostpath-sensitive", True),
    "device": ("", "--device /dev/null:/dev/x", "container.host-device", True),
    "cgroup": ("", "--cgroup-parent /mine", "container.cgroup-parent", True),
    "ulimit": ("--ulimit nofile=100:100", "", "container.ulimits", True),
    "bridge": ("--network none", "", "docker.runtime.default-bridge", False),
}  # fmt: skip


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with own_engine() as started:
        yield started


@pytest.fixture
def work(engine: Engine) -> Work:
    engine.clean()
    engine.config.write_text("{}\n")
    return Work(engine.socket)


def run(engine: Engine, name: str, left_out: str = "", added: str = "", command: str = "/bin/sleep 1000") -> str:
    words = RUN.replace(left_out, "") if left_out else RUN
    asked = shlex.split(f"{words} {added.replace('{folder}', str(engine.place))}")
    return engine.docker("run", "-d", "--name", name, "-v", f"{name}-data:/data", *asked, IMAGE, *shlex.split(command))


def inspected(engine: Engine, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(engine.docker("inspect", name))[0]
    return found


# A limit that was not set comes back as the size of the machine; the engine tells no number for "none".
# Its first start writes nothing; the second needs /etc.
STUBBORN = (
    "/bin/sh -c 'if test -e /data/first; then touch /etc/proof || exit 3; fi; touch /data/first; exec sleep 1000'"
)
LOOSE = {"Memory", "MemorySwap", "NanoCpus", "PidsLimit"}


def decided(engine: Engine, name: str) -> dict[str, Any]:
    found = inspected(engine, name)
    host = {key: value for key, value in found["HostConfig"].items() if key not in LOOSE}
    return {
        "Id": found["Id"],
        "Config": found["Config"],
        "HostConfig": host,
        "Networks": sorted(found["NetworkSettings"]["Networks"]),
    }


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_repaired_proved_and_taken_back(engine: Engine, work: Work, fault: str) -> None:
    left_out, added, control, anew = FAULTS[fault]
    name = f"c-{fault}"
    run(engine, name, left_out, added)
    before = decided(engine, name)
    assert control in work.failing(name)

    done = work.fix(control)
    assert done.reason == ""
    assert control not in work.failing(name)
    after = inspected(engine, name)
    assert after["State"]["Running"]
    assert (after["Id"] != before["Id"]) is anew
    # The volume goes on with the heir.
    assert [mount["Name"] for mount in after["Mounts"] if mount.get("Name")] == [f"{name}-data"]

    work.undo(done)
    assert decided(engine, name) == before
    assert inspected(engine, name)["State"]["Running"]
    assert engine.docker("ps", "-aq", "--filter", f"name={name}").count("\n") == 0
    assert "bulkhead" not in engine.docker("network", "ls")
    if control not in ("container.memory-limit", "container.cpu-limit"):
        assert control in work.failing(name)


def test_files_in_the_old_containers_layer_come_back_with_it(engine: Engine, work: Work) -> None:
    run(engine, "keeper", "--read-only", "", "/bin/sh -c 'echo precious > /tmp/own; exec sleep 1000'")
    trial, scan = work.plan("container.readonly-rootfs")
    [warnings] = trial.warnings.values()
    assert any("files in the container's own layer" in line for line in warnings)
    done = work.apply(trial, scan)
    assert inspected(engine, "keeper")["HostConfig"]["Tmpfs"] == {"/tmp": "rw,noexec,nosuid,nodev"}
    work.undo(done)
    assert engine.docker("exec", "keeper", "cat", "/tmp/own") == "precious"


def test_an_heir_that_does_not_come_up_gives_way_to_the_old_container(engine: Engine, work: Work) -> None:
    """It must write where nobody saw it write: the new one ends, the old one is started again."""
    old = run(engine, "stubborn", "--read-only", "--user 0:0", STUBBORN)
    done = work.fix("container.readonly-rootfs")
    assert "did not come up" in done.reason
    assert inspected(engine, "stubborn")["Id"] == old
    assert inspected(engine, "stubborn")["State"]["Running"]
    assert work.journal.entry(done.entry).summary.state is EntryState.FAILED


def test_an_unhealthy_heir_gives_way(engine: Engine, work: Work) -> None:
    health = "--health-interval 1s --health-retries 1 --health-cmd 'test $(ulimit -n) -gt 2000'"
    old = run(engine, "ill", "--ulimit nofile=100:100", health)
    done = work.fix("container.ulimits")
    assert "health check fails" in done.reason
    assert inspected(engine, "ill")["Id"] == old
    assert inspected(engine, "ill")["State"]["Running"]


def test_the_canary_that_fails_keeps_the_others_as_they_are(engine: Engine, work: Work) -> None:
    ids = {name: run(engine, name, "--read-only", "--user 0:0", STUBBORN) for name in ("aa", "bb", "cc")}
    done = work.fix("container.readonly-rootfs", rollout=Rollout(canary=1, watch_seconds=1))
    assert done.reason
    assert {name: inspected(engine, name)["Id"] for name in ids} == ids
    states = [str(step.state) for step in work.journal.entry(done.entry).steps]
    assert sorted(states) == ["planned", "planned", "undone"]


def test_a_canary_is_watched_before_the_rest(engine: Engine, work: Work) -> None:
    for name in ("aa", "bb", "cc"):
        run(engine, name, "--pids-limit 50", "")
    done = work.fix("container.pids-limit", rollout=Rollout(canary=1, watch_seconds=1))
    assert done.reason == ""
    assert [inspected(engine, name)["HostConfig"]["PidsLimit"] for name in ("aa", "bb", "cc")] == [200, 200, 200]


def test_the_blast_radius_is_the_plans(engine: Engine, work: Work) -> None:
    for name in ("aa", "bb", "cc"):
        run(engine, name, "--pids-limit 50", "")
    trial, _ = work.plan("container.pids-limit", rollout=Rollout(most=2, canary=0))
    assert len(trial.plan.steps) == 2
    assert [item.reason for item in trial.plan.unfixed] == ["a plan touches 2 targets at most; the next run takes it"]


def test_a_container_that_changed_since_the_plan_is_a_conflict(engine: Engine, work: Work) -> None:
    run(engine, "moved", "--pids-limit 50", "")
    trial, scan = work.plan("container.pids-limit")
    engine.docker("update", "--cpus", "0.25", "moved")
    done = work.apply(trial, scan)
    assert "changed since it was scanned" in done.reason
    assert inspected(engine, "moved")["HostConfig"]["PidsLimit"] in (None, 0)
    again, _ = work.plan("container.pids-limit", rehearsed=False)
    engine.docker("update", "--cpus", "0.3", "moved")
    rehearsed = running.run(live.rehearse(again, work.hands))
    assert rehearsed.plan.steps == ()


def test_undo_refuses_where_somebody_changed_it_since(engine: Engine, work: Work) -> None:
    run(engine, "shared", "--pids-limit 50", "")
    done = work.fix("container.pids-limit")
    engine.docker("update", "--pids-limit", "77", "shared")
    with pytest.raises(Conflict, match="not what was written"):
        work.undo(done)
    assert inspected(engine, "shared")["HostConfig"]["PidsLimit"] == 77


def test_a_limit_below_what_is_in_use_is_refused(engine: Engine, work: Work) -> None:
    run(engine, "hungry", "--memory 64m", "--tmpfs /big:mode=1777")
    trial, _ = work.plan("container.memory-limit", rehearsed=False)
    engine.docker("exec", "hungry", "/bin/sh", "-c", "head -c 300000000 /dev/zero > /big/file")
    assert trial.plan.steps
    rehearsed = running.run(live.rehearse(trial, work.hands))
    assert rehearsed.plan.steps == ()
    assert "more than the limit" in rehearsed.plan.unfixed[-1].reason


def test_what_others_make_again_or_cannot_come_back_is_left(engine: Engine, work: Work) -> None:
    run(engine, "task", "--pids-limit 50", "--label com.docker.swarm.service.name=web")
    trial, _ = work.plan("container.pids-limit")
    assert trial.plan.steps == ()
    assert "repair the service" in trial.plan.unfixed[0].reason
    run(engine, "passing", "--restart on-failure:5", "--rm --cap-add NET_ADMIN")
    trial, _ = work.plan("container.capabilities-added")
    assert trial.plan.steps == ()
    assert "--rm" in trial.plan.unfixed[0].reason


@contextmanager
def cut_after(socket: str, place: Path, writes: int) -> Iterator[str]:
    """A way to the engine that carries ``writes`` changes, loses the answer of the last and is gone from then on."""
    path = str(place / f"cut-{writes}.sock")
    left = {"writes": writes}
    loop = asyncio.new_event_loop()
    started = threading.Event()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                if left["writes"] <= 0:
                    return
                changing = not head.startswith(b"GET")
                if changing:
                    left["writes"] -= 1
                body = b""
                for line in head.lower().split(b"\r\n"):
                    if line.startswith(b"content-length:"):
                        body = await reader.readexactly(int(line.partition(b":")[2]))
                near, far = await asyncio.open_unix_connection(socket)
                far.write(head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1) + body)
                answer = await near.read()
                far.close()
                if left["writes"] <= 0 and changing:
                    return
                writer.write(answer)
                await writer.drain()
                return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    async def main() -> None:
        server = await asyncio.start_unix_server(carry, path)
        started.set()
        async with server:
            await stop.wait()

    stop = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(main()))
    thread.start()
    started.wait(10)
    try:
        yield path
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


@pytest.mark.parametrize("writes", range(1, 8))
def test_whatever_act_was_the_last_the_old_container_comes_back(engine: Engine, work: Work, writes: int) -> None:
    """The engine vanishes after each act in turn, with the act done and its answer lost; later the change is taken back."""
    old = run(engine, "risky", "--network none", "--cap-add NET_ADMIN")
    before = decided(engine, "risky")
    trial, scan = work.plan("container.capabilities-added", "docker.runtime.default-bridge")
    assert [step.method for step in trial.plan.steps] == ["recreate"]
    done: Applied | None = None
    with cut_after(engine.socket, engine.place, writes) as through:
        broken = Work(engine.socket, through=through)
        with suppress(BulkheadError):
            done = broken.apply(trial, scan)
    [entry] = broken.journal.entries()
    work.journal = broken.journal
    if entry.state is EntryState.APPLIED and done is not None:
        work.undo(done)
    elif entry.state is not EntryState.FAILED:
        work.recover(entry.id)
    assert decided(engine, "risky") == before
    assert inspected(engine, "risky")["Id"] == old
    assert inspected(engine, "risky")["State"]["Running"]
    assert engine.docker("ps", "-aq").count("\n") == 0
    assert "bulkhead" not in engine.docker("network", "ls")


def test_what_is_kept_can_be_let_go_and_is_made_anew_from_its_record(engine: Engine, work: Work) -> None:
    run(engine, "settled", "", "--cap-add NET_ADMIN")
    before = decided(engine, "settled")
    done = work.fix("container.capabilities-added")
    assert engine.docker("ps", "-aq").count("\n") == 1
    assert running.run(live.settle(done.entry, work.hands, work.journal, tenant="default")) == (
        "DockerContainer/settled",
    )
    assert engine.docker("ps", "-aq").count("\n") == 0
    work.undo(done)
    after = decided(engine, "settled")
    assert {**after, "Id": ""} == {
        **before,
        "Id": "",
        "Config": {**before["Config"], "Hostname": after["Config"]["Hostname"]},
    }
    assert inspected(engine, "settled")["State"]["Running"]
