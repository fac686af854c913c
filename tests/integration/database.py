"""A PostgreSQL server of the test's own (Debian's package), on a Unix socket in a folder of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.integration.engine import missing


@contextmanager
def postgres() -> Iterator[str]:
    """The address of an empty database; ``missing`` says what is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        missing("postgresql is not installed (apt-get install postgresql)")
    programs = found[-1].parent
    place = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
    run: list[str] = []
    if os.geteuid() == 0:
        # The server refuses to run as root.
        try:
            user = pwd.getpwnam("postgres")
        except KeyError:
            missing("there is no user postgres (apt-get install postgresql)")
        os.chown(place, user.pw_uid, user.pw_gid)
        run = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    data = place / "data"
    try:
        initdb = [
            str(programs / "initdb"),
            "-D",
            str(data),
            "-U",
            "bulkhead",
            "--auth=trust",
            "--no-sync",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
        ]
        _run([*run, *initdb], place)
        options = f"-c listen_addresses='' -c unix_socket_directories={place} -c fsync=off"
        _run(
            [*run, str(programs / "pg_ctl"), "-D", str(data), "-w", "-l", str(place / "log"), "-o", options, "start"],
            place,
        )
        yield f"postgresql://bulkhead@/postgres?host={place}"
    finally:
        if data.exists():
            stop = [*run, str(programs / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop"]
            subprocess.run(stop, check=False, capture_output=True, cwd=place)
        shutil.rmtree(place, ignore_errors=True)


def _run(words: list[str], place: Path) -> None:
    done = subprocess.run(words, check=False, capture_output=True, timeout=120, cwd=place)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
