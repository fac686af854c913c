"""The daemon's settings in force: its file, and its flags over it."""

from __future__ import annotations

from typing import Any

import pytest

from bulkhead.sources.docker.daemon import config_file, in_force


@pytest.mark.parametrize(
    ("file", "arguments", "settings"),
    [
        ({}, [], {}),
        ({"icc": False}, [], {"icc": False}),
        ({}, ["--icc=false"], {"icc": False}),
        ({}, ["--debug"], {"debug": True}),
        ({}, ["-D", "--live-restore"], {"debug": True, "live-restore": True}),
        ({}, ["-H", "unix:///x.sock", "--host=fd://"], {"hosts": ["unix:///x.sock", "fd://"]}),
        ({}, ["-Hunix:///x.sock"], {"hosts": ["unix:///x.sock"]}),
        ({}, ["--host", "tcp://0.0.0.0:2375", "--tlsverify"], {"hosts": ["tcp://0.0.0.0:2375"], "tlsverify": True}),
        ({"labels": ["a=b"]}, ["--label", "c=d"], {"labels": ["a=b", "c=d"]}),
        ({}, ["--insecure-registry=r:5000", "--insecure-registry", "s:5000"], {"insecure-registries": ["r:5000", "s:5000"]}),
        ({}, ["--log-opt", "max-size=10m", "--log-opt=max-file=3"], {"log-opts": {"max-size": "10m", "max-file": "3"}}),
        ({}, ["--default-ulimit", "nofile=64:128"], {"default-ulimits": {"nofile": {"Name": "nofile", "Soft": 64, "Hard": 128}}}),
        ({}, ["-l", "warn", "--userns-remap=default"], {"log-level": "warn", "userns-remap": "default"}),
        ({}, ["--iptables=false", "--", "--icc=false"], {"iptables": False}),
        ({"storage-driver": "overlay2"}, ["stray"], {"storage-driver": "overlay2"}),
    ],
)  # fmt: skip
def test_flags_stand_over_the_file(file: dict[str, Any], arguments: list[str], settings: dict[str, Any]) -> None:
    assert in_force(file, arguments) == settings


def test_the_file_is_where_the_command_line_says() -> None:
    assert config_file(["--debug"]) == "/etc/docker/daemon.json"
    assert config_file(["--config-file", "/x.json", "-D"]) == "/x.json"
