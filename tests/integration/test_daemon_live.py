"""The settings of a real daemon changed, proved and put back to the byte: by a reload, by a restart, and when it does not come back."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bulkhead.app.ports import EntryState
from bulkhead.core.errors import Conflict
from tests.integration.livework import Work
from tests.integration.own_engine import IMAGE, Engine, own_engine


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with own_engine() as started:
        yield started


class Restarter:
    """Restarts the engine when the file ``ask`` appears, as a service manager would be asked to; says so in ``told``."""

    def __init__(self, engine: Engine, *, fails: bool = False) -> None:
        self._engine, self._fails = engine, fails
        self.ask, self.told = engine.place / "ask", engine.place / "told"
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        for file in (self.ask, self.told):
            file.unlink(missing_ok=True)

    def __enter__(self) -> tuple[str, ...]:
        self._thread.start()
        script = self._engine.place / "restart"
        script.write_text(
            f"#!{sys.executable}\nimport pathlib,time,sys\npathlib.Path({str(self.ask)!r}).touch()\nend=time.time()+60\n"
            f"told=pathlib.Path({str(self.told)!r})\n"
            "while not told.exists() and time.time()<end: time.sleep(0.05)\ncode=int(told.read_text()); told.unlink(); sys.exit(code)\n"
        )
        script.chmod(0o755)
        return (str(script),)

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(90)

    def _run(self) -> None:
        while not self._stop.is_set():
            if self.ask.exists():
                self.ask.unlink()
                self.told.write_text(str(self._restarted()))
            time.sleep(0.05)

    def _restarted(self) -> int:
        self._engine.stop()
        bad = self._fails and self._engine.config.read_bytes().strip() != b"{}"
        if bad:
            return 1
        try:
            self._engine.start()
        except AssertionError:
            return 1
        return 0


def confined(engine: Engine) -> bool:
    """Whether the kernel keeps a new container from gaining privileges."""
    return "NoNewPrivs:\t1" in engine.docker("run", "--rm", "--network", "none", IMAGE, "/bin/cat", "/proc/self/status")


def info(engine: Engine, field: str) -> str:
    return engine.docker("info", "--format", field)


@pytest.fixture(autouse=True)
def plain(engine: Engine) -> None:
    """No container, and a daemon that has what its empty file says: a reload alone would leave what an earlier test set."""
    engine.clean()
    for text in ('{"live-restore": false, "debug": false, "insecure-registries": []}', "{}\n"):
        engine.config.write_text(text)
        engine.config.chmod(0o644)
        os.kill(engine.pid, signal.SIGHUP)
        time.sleep(0.4)


def test_a_reload_is_proved_and_taken_back_to_the_byte(engine: Engine) -> None:
    original = b'{\n  "log-level":"info"   \n}'
    engine.config.write_bytes(original)
    engine.config.chmod(0o640)
    work = Work(engine.socket)
    assert "docker.daemon.live-restore" in work.failing(info(engine, "{{.Name}}"))
    pid = engine.pid
    done = work.fix("docker.daemon.live-restore")
    assert done.reason == ""
    assert info(engine, "{{.LiveRestoreEnabled}}") == "true"
    assert json.loads(engine.config.read_bytes()) == {"log-level": "info", "live-restore": True}
    assert b'"log-level":"info"' in engine.config.read_bytes()
    work.undo(done)
    assert engine.config.read_bytes() == original
    assert stat.S_IMODE(engine.config.stat().st_mode) == 0o640
    # A reload leaves alone what a file does not name: the default was named once in between.
    assert info(engine, "{{.LiveRestoreEnabled}}") == "false"
    assert engine.pid == pid


def test_insecure_registries_go_and_come_back(engine: Engine) -> None:
    engine.config.write_text('{"insecure-registries": ["registry.example:5000", "127.0.0.1:5000"]}')
    os.kill(engine.pid, signal.SIGHUP)
    time.sleep(0.5)
    work = Work(engine.socket)
    done = work.fix("docker.daemon.insecure-registries")
    assert done.reason == ""
    assert "registry.example" not in info(engine, "{{json .RegistryConfig}}")
    work.undo(done)
    assert "registry.example" in info(engine, "{{json .RegistryConfig}}")
    engine.config.write_text("{}\n")
    os.kill(engine.pid, signal.SIGHUP)


def test_a_file_that_somebody_changed_since_is_left_alone(engine: Engine) -> None:
    engine.config.write_text("{}\n")
    work = Work(engine.socket)
    trial, scan = work.plan("docker.daemon.live-restore")
    engine.config.write_text('{"live-restore": true, "debug": true}')
    done = work.apply(trial, scan)
    assert "changed since they were read" in done.reason
    assert engine.config.read_text() == '{"live-restore": true, "debug": true}'
    engine.config.write_text("{}\n")
    done = work.fix("docker.daemon.live-restore")
    engine.config.write_text('{"live-restore": false}')
    with pytest.raises(Conflict):
        work.undo(done)
    assert engine.config.read_text() == '{"live-restore": false}'
    engine.config.write_text("{}\n")
    os.kill(engine.pid, signal.SIGHUP)


def test_a_file_that_was_not_there_is_taken_away_again(engine: Engine) -> None:
    engine.config.unlink()
    work = Work(engine.socket)
    done = work.fix("docker.daemon.live-restore")
    assert done.reason == ""
    assert engine.config.exists()
    work.undo(done)
    assert not engine.config.exists()
    engine.config.write_text("{}\n")


def test_without_a_way_to_restart_it_the_setting_is_left(engine: Engine) -> None:
    engine.config.write_text("{}\n")
    if Path("/run/systemd/system").is_dir():
        pytest.skip("systemd runs here, and would be asked")
    trial, _ = Work(engine.socket).plan("docker.daemon.no-new-privileges")
    assert trial.plan.steps == ()
    assert "needs a restart" in trial.plan.unfixed[0].reason


def test_a_restart_is_proved_and_containers_come_back(engine: Engine) -> None:
    engine.config.write_text("{}\n")
    engine.docker(
        "run",
        "-d",
        "--name",
        "steady",
        "--restart",
        "always",
        "--stop-timeout",
        "1",
        "--network",
        "none",
        IMAGE,
        "/bin/sleep",
        "1000",
    )
    engine.docker(
        "run", "-d", "--name", "once", "--stop-timeout", "1", "--network", "none", IMAGE, "/bin/sleep", "1000"
    )
    with Restarter(engine) as words:
        work = Work(engine.socket, restart=words)
        done = work.fix("docker.daemon.no-new-privileges")
        assert done.reason == ""
        assert confined(engine)
        assert set(engine.docker("ps", "--format", "{{.Names}}").split()) == {"steady", "once"}
        work.undo(done)
        assert not confined(engine)
        assert engine.config.read_text() == "{}\n"
        assert set(engine.docker("ps", "--format", "{{.Names}}").split()) == {"steady", "once"}
    engine.clean()


def test_a_daemon_that_does_not_come_back_gets_its_file_and_its_containers_back(engine: Engine) -> None:
    engine.config.write_text("{}\n")
    engine.docker(
        "run", "-d", "--name", "once", "--stop-timeout", "1", "--network", "none", IMAGE, "/bin/sleep", "1000"
    )
    with Restarter(engine, fails=True) as words:
        work = Work(engine.socket, restart=words)
        done = work.fix("docker.daemon.no-new-privileges")
        assert "failed with exit code 1" in done.reason
        assert engine.config.read_text() == "{}\n"
        assert info(engine, "{{.Name}}")
        assert engine.docker("ps", "--format", "{{.Names}}").split() == ["once"]
        assert work.journal.entry(done.entry).summary.state is EntryState.FAILED
    engine.clean()


def test_modes_of_files_are_given_and_given_back(engine: Engine) -> None:
    engine.config.write_text("{}\n")
    engine.config.chmod(0o666)
    work = Work(engine.socket)
    done = work.fix("docker.files.daemon-json-mode")
    assert done.reason == ""
    assert stat.S_IMODE(engine.config.stat().st_mode) == 0o644
    work.undo(done)
    assert stat.S_IMODE(engine.config.stat().st_mode) == 0o666
    socket = Path(engine.socket)
    socket.chmod(0o666)
    done = work.fix("docker.files.docker-sock-mode")
    assert done.reason == ""
    assert stat.S_IMODE(socket.stat().st_mode) == 0o660
    work.undo(done)
    assert stat.S_IMODE(socket.stat().st_mode) == 0o666
    socket.chmod(0o660)


def test_owners_of_files_are_given_and_given_back(engine: Engine) -> None:
    os.chown(engine.config, 1234, 4321)
    work = Work(engine.socket)
    done = work.fix("docker.files.daemon-json-owner")
    assert done.reason == ""
    assert (engine.config.stat().st_uid, engine.config.stat().st_gid) == (0, 0)
    work.undo(done)
    assert (engine.config.stat().st_uid, engine.config.stat().st_gid) == (1234, 4321)
    os.chown(engine.config, 0, 0)


def test_a_link_is_never_followed(engine: Engine) -> None:
    precious = engine.place / "precious"
    precious.write_text("x")
    precious.chmod(0o600)
    engine.config.chmod(0o666)
    work = Work(engine.socket)
    trial, scan = work.plan("docker.files.daemon-json-mode")
    engine.config.rename(engine.place / "aside")
    engine.config.symlink_to(precious)
    done = work.apply(trial, scan)
    assert done.reason
    assert stat.S_IMODE(precious.stat().st_mode) == 0o600
    engine.config.unlink()
    (engine.place / "aside").rename(engine.config)
    engine.config.chmod(0o644)


def test_an_audit_rule_waits_for_auditd(engine: Engine) -> None:
    if subprocess.run(["pgrep", "-x", "auditd"], check=False, capture_output=True).returncode == 0:
        pytest.skip("auditd runs here")
    trial, _ = Work(engine.socket).plan("docker.host.audit-dockerd")
    assert trial.plan.steps == ()
    assert "audit daemon is not installed" in trial.plan.unfixed[0].reason
