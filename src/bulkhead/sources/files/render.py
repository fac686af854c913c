"""A foreign program run once with bounds: no shell, no inherited environment, no way to a network by proxy."""

from __future__ import annotations

import os
import re
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from bulkhead.core.errors import LimitExceeded, SourceError
from bulkhead.sources.files.model import Limits

# What kubectl's logger puts before the message: an instant and a process id, different in each run.
_LOGGED = re.compile(r'^[EFWI]\d{4} [\d:.]+ +\d+ \S+\] (?:"command failed" err=)?')


def program(*names: str) -> str:
    """The first of these programs that is on PATH; empty when none is."""
    return next((path for name in names if (path := shutil.which(name))), "")


def output(command: list[str], folder: Path, limits: Limits) -> bytes:
    """What the command writes to its standard output.

    Raises:
        SourceError: it cannot be started or ends in error; the message is the last line it said.
        LimitExceeded: it took too long or wrote too much.
    """
    with tempfile.TemporaryDirectory(prefix="bulkhead-") as home, tempfile.TemporaryFile() as complaints:
        # An empty PATH keeps renderers from starting git or plug-ins; the proxies lead nowhere.
        environment = {
            "HOME": home,
            "PATH": home,
            "TMPDIR": home,
            "LANG": "C.UTF-8",
            "HELM_CACHE_HOME": home,
            "HELM_CONFIG_HOME": home,
            "HELM_DATA_HOME": home,
            "HTTP_PROXY": "http://127.0.0.1:9",
            "HTTPS_PROXY": "http://127.0.0.1:9",
        }
        try:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=complaints,
                start_new_session=True,
            )
        except OSError as error:
            raise SourceError(f"{Path(command[0]).name} cannot be started: {error.strerror}") from error
        try:
            data = _collected(process, limits)
        finally:
            _ended(process)
        if process.returncode:
            complaints.seek(0)
            said = complaints.read(65536).decode(errors="replace").strip().splitlines()
            reason = _LOGGED.sub("", said[-1])[:500] if said else f"exit code {process.returncode}"
            raise SourceError(f"{Path(command[0]).name} failed: {reason}")
        return data


def _collected(process: subprocess.Popen[bytes], limits: Limits) -> bytes:
    deadline = time.monotonic() + limits.render_seconds
    chunks: list[bytes] = []
    size = 0
    pipe = process.stdout
    if pipe is None:
        raise SourceError("the renderer has no output")
    with selectors.DefaultSelector() as selector, pipe:
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not selector.select(left):
                raise LimitExceeded(f"rendering took longer than {limits.render_seconds:g} seconds")
            chunk = os.read(pipe.fileno(), 65536)
            if not chunk:
                break
            size += len(chunk)
            if size > limits.render_size:
                raise LimitExceeded(f"rendering gave more than {limits.render_size} bytes")
            chunks.append(chunk)
    try:
        process.wait(max(deadline - time.monotonic(), 0.1))
    except subprocess.TimeoutExpired as error:
        raise LimitExceeded(f"rendering took longer than {limits.render_seconds:g} seconds") from error
    return b"".join(chunks)


def _ended(process: subprocess.Popen[bytes]) -> None:
    """The process and what it started are gone when this returns."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
