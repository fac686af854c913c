"""``bulkhead watch`` on a real engine and on the API double: how soon a faulty container or pod is told, and broken streams."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.kube import KubeDouble
from tests.fakes.kube.town import CONFIGZ, deployment, town
from tests.integration.own_engine import IMAGE, own_engine

BIN = Path(sys.executable).parent / "bulkhead"
SOON = 1.0


class Watching:
    def __init__(self, folder: Path, target: str, **environment: str) -> None:
        words = [str(BIN), "watch", target, "--format", "json"]
        env = {**os.environ, "BULKHEAD_STATE": str(folder / "state"), **environment}
        self._process = subprocess.Popen(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder)
        self._lines: queue.Queue[dict[str, Any]] = queue.Queue()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(json.loads(line))

    def until(self, event: str, *, control: str = "", name: str = "", seconds: float = 20.0) -> float:
        """How long it took until this was told."""
        begin = time.monotonic()
        while True:
            told = self._lines.get(timeout=max(begin + seconds - time.monotonic(), 0.01))
            found = told.get("finding") or {}
            if (
                told["event"] == event
                and control in (found.get("control", ""), "")
                and name in (found.get("resource", {}).get("name", ""), "")
            ):
                return time.monotonic() - begin

    def end(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(20) == 0
        self._thread.join(10)
        for stream in (self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()


@pytest.fixture
def engine_and_watch(tmp_path: Path) -> Iterator[Any]:
    with own_engine() as engine:
        watching = Watching(tmp_path, f"docker://{engine.socket}")
        try:
            watching.until("looked")
            time.sleep(0.5)
            yield engine, watching
        finally:
            watching.end()


def test_a_faulty_container_is_told_within_a_second(engine_and_watch: Any) -> None:
    engine, watching = engine_and_watch
    spent = []
    for number in range(3):
        engine.docker(
            "run",
            "-d",
            "--name",
            f"bad{number}",
            "--privileged=false",
            "--cap-add",
            "SYS_PTRACE",
            "--network",
            "none",
            IMAGE,
            "/bin/sleep",
            "1000",
        )
        spent.append(watching.until("new", control="container.cap-sys-ptrace", name=f"bad{number}"))
    sys.stdout.write(f"\ntold {', '.join(f'{item:.2f}' for item in spent)} s after the container ran\n")
    assert sorted(spent)[1] < SOON
    engine.docker("update", "--pids-limit", "10", "bad0")
    assert watching.until("fixed", control="container.pids-limit", name="bad0") < SOON * 3
    engine.docker("rm", "-f", "bad1")
    watching.until("fixed", control="container.cap-sys-ptrace", name="bad1")


def test_an_engine_that_restarts_is_watched_again(engine_and_watch: Any) -> None:
    engine, watching = engine_and_watch
    engine.stop()
    watching.until("trouble")
    engine.start()
    engine.docker(
        "run", "-d", "--name", "later", "--cap-add", "SYS_PTRACE", "--network", "none", IMAGE, "/bin/sleep", "1000"
    )
    watching.until("new", control="container.cap-sys-ptrace", name="later", seconds=60)


def test_a_cluster_is_kept_current(tmp_path: Path) -> None:
    double = KubeDouble(town())
    double.raws["/api/v1/nodes/n1/proxy/configz"] = CONFIGZ
    with double:
        watching = Watching(tmp_path, "kubernetes://", KUBECONFIG=str(double.kubeconfig(tmp_path)))
        try:
            watching.until("looked")
            time.sleep(0.5)
            lists = len([path for _, path in double.requests if "watch=" not in path and "/deployments" in path])
            double.put(deployment("late", container={"resources": {}}))
            spent = watching.until("new", control="container.memory-limit", name="late")
            sys.stdout.write(f"\ntold {spent:.2f} s after the deployment was there\n")
            assert spent < SOON
            double.put(deployment("late"))
            assert watching.until("fixed", control="container.memory-limit", name="late") < SOON * 2
            # It is kept in memory: nothing was listed again for that.
            assert (
                len([path for _, path in double.requests if "watch=" not in path and "/deployments" in path]) == lists
            )
            double.break_watch_after = 1
            double.put(deployment("third", container={"resources": {}}))
            watching.until("new", control="container.memory-limit", name="third")
            double.put(deployment("fourth", container={"resources": {}}))
            watching.until("new", control="container.memory-limit", name="fourth")
        finally:
            watching.end()
