"""A real Docker engine and Debian's registry for the tests that need them.

The engine is the one that ``docker`` talks to (``DOCKER_HOST``). Where something is missing the test is skipped and says
what, except in CI, which installs and starts all of it (see ``.ci/run``).
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest


def missing(reason: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI has what this test needs, but {reason}")
    pytest.skip(reason)


def program(name: str, package: str) -> str:
    return shutil.which(name) or missing(f"{name} is not installed (apt-get install {package})")


def docker(*words: str, data: bytes = b"") -> str:
    """What docker says; where it fails, the test tells docker's own reason."""
    done = subprocess.run(["docker", *words], input=data, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, f"docker {words[0]}: {done.stderr.decode(errors='replace')}"
    return done.stdout.decode().strip()


def require_engine() -> None:
    program("docker", "docker.io")
    asked = ["docker", "version", "--format", "{{.Server.Version}}"]
    done = subprocess.run(asked, capture_output=True, check=False, timeout=60)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["it does not say why"]
        missing(f"no Docker engine answers: {said[-1]}")


@contextmanager
def registry(folder: Path) -> Iterator[str]:
    """Debian's registry on a free port of this machine, over plain HTTP; its address."""
    binary = os.environ.get("BULKHEAD_DOCKER_REGISTRY") or program("docker-registry", "docker-registry")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = folder / "registry.yml"
    config.write_text(
        f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {folder}/registry}}}}\n"
        f"http: {{addr: '127.0.0.1:{port}'}}\n"
    )
    quiet = subprocess.DEVNULL
    process = subprocess.Popen([binary, "serve", str(config)], stdout=quiet, stderr=quiet)
    try:
        _wait(process, port)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            assert process.poll() is None, "the registry ended at once"
            assert time.monotonic() < end, "the registry does not answer"
            time.sleep(0.05)
