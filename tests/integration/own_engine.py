"""A Docker engine of the test's own: its daemon, its settings file and its bridge, for tests that change them.

It needs root and the packages docker.io, busybox-static and iproute2. Nothing of an engine that runs already is touched.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fakes.images import folder, item, symlink, tar
from tests.integration.engine import missing, program

_APPLETS = ("sh", "test", "head", "rm", "sleep", "true", "false", "cat", "nc", "touch", "echo")
IMAGE = "live:1"


class Engine:
    """One daemon. ``restart`` is what systemd would do."""

    def __init__(self, place: Path, bridge: str) -> None:
        self.place = place
        self.bridge = bridge
        self.socket = str(place / "docker.sock")
        self.config = place / "daemon.json"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        words = ["dockerd", "--host", f"unix://{self.socket}", "--data-root", f"{self.place}/data", "--exec-root", f"{self.place}/exec",
                 "--pidfile", f"{self.place}/pid", "--config-file", str(self.config), "--bridge", self.bridge, "--iptables=false",
                 "--ip6tables=false", "--storage-driver", "vfs"]  # fmt: skip
        with (self.place / "log").open("ab") as log:
            self._process = subprocess.Popen(words, stdout=log, stderr=log)
        end = time.monotonic() + 60
        # The time is the shell's: a client that waits for a socket nobody reads yet would wait for ever.
        while subprocess.run(
            ["timeout", "10", "docker", "-H", f"unix://{self.socket}", "version"], capture_output=True, check=False
        ).returncode:
            said = (self.place / "log").read_text(errors="replace")[-2000:]
            assert self._process.poll() is None, f"the engine ended: {said}"
            assert time.monotonic() < end, f"the engine does not answer: {said}"
            time.sleep(0.2)

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(60)
            self._process = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def docker(self, *words: str, data: bytes = b"", check: bool = True) -> str:
        done = subprocess.run(
            ["docker", "-H", f"unix://{self.socket}", *words], input=data, capture_output=True, check=False, timeout=120
        )
        assert not check or done.returncode == 0, f"docker {words[0]}: {done.stderr.decode(errors='replace')}"
        return done.stdout.decode().strip()

    def clean(self) -> None:
        names = self.docker("ps", "-aq").split()
        if names:
            self.docker("rm", "-f", "-v", *names)
        self.docker("network", "prune", "-f")
        self.docker("volume", "prune", "-f")


@contextmanager
def own_engine() -> Iterator[Engine]:
    """A started engine with the image ``live:1``: busybox, and nothing else."""
    if os.geteuid() != 0:
        missing("a daemon of our own needs root")
    for name, package in (("dockerd", "docker.io"), ("docker", "docker.io"), ("ip", "iproute2")):
        program(name, package)
    place = Path(tempfile.mkdtemp(prefix="own", dir="/tmp"))
    number = os.getpid() % 200
    bridge = f"bhtest{number}"
    engine = Engine(place, bridge)
    engine.config.write_text("{}\n")
    subprocess.run(["ip", "link", "add", bridge, "type", "bridge"], check=True)
    try:
        subprocess.run(["ip", "addr", "add", f"10.231.{number}.1/24", "dev", bridge], check=True)
        subprocess.run(["ip", "link", "set", bridge, "up"], check=True)
        engine.start()
        busybox = Path(program("busybox", "busybox-static")).read_bytes()
        applets = (symlink(f"bin/{applet}", "busybox") for applet in _APPLETS)
        layer = tar(
            folder("bin"), folder("etc"), folder("tmp", mode=0o1777), item("bin/busybox", busybox, mode=0o755), *applets
        )
        engine.docker("import", "-", IMAGE, data=layer)
        yield engine
    finally:
        if engine._process is not None:
            engine.docker("rm", "-f", "-v", *engine.docker("ps", "-aq").split(), check=False)
            engine.docker("network", "prune", "-f", check=False)
            engine.stop()
        subprocess.run(["ip", "link", "del", bridge], check=False)
        for entry in (place / "exec" / "netns").glob("*"):
            subprocess.run(["umount", str(entry)], check=False, capture_output=True)
        shutil.rmtree(place, ignore_errors=True)
