"""An engine that answers nonsense in one place: a snapshot with what is left, or an error; never a crash."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from bulkhead.core.errors import BulkheadError
from bulkhead.posture.evaluate import Request, evaluate
from tests.catalogue_check import catalogue
from tests.fakes.engine import INFO, container, engine
from tests.fakes.junk import mutated
from tests.unit.sources.test_docker import machine, snapshot

JUNK: list[Any] = [None, True, 0, -1, 1.5, "", "x", [], {}, [None], [[]], {"a": None}, 10**25]
SEEDS = 150
WORDS = {
    "/info": {**INFO, "Swarm": {"LocalNodeState": "active", "ControlAvailable": True}, "Containerd": {"Address": "/x"}},
    "/swarm": {"ID": "c", "Spec": {}},
    "/nodes": [{"Spec": {"Role": "manager"}, "ManagerStatus": {"Addr": "a"}}],
    "/services": [{"ID": "s", "Spec": {"TaskTemplate": {"ContainerSpec": {"Env": ["A=b"]}}}}],
    "/exec/e1/json": {"ProcessConfig": {"entrypoint": "sh", "arguments": ["-c"], "user": "0", "privileged": False}},
    "/images/json": [{"Id": "sha256:a", "RepoTags": ["app:1"], "Created": 1_700_000_000}],
    "/images/sha256:a/json": {
        "Id": "sha256:a", "RepoTags": ["app:1"], "Created": "2026-01-01T00:00:00Z", "Os": "linux", "Architecture": "amd64",
        "Config": {"Env": ["A=b"], "User": ""}, "Size": 5,
    },
    "/images/sha256:a/history": [{"CreatedBy": "x", "Size": 3}],
}  # fmt: skip


@pytest.mark.parametrize("start", range(0, SEEDS, 30))
def test_nonsense_in_one_place_is_a_gap_or_an_error(start: int, tmp_path: Path) -> None:
    here = machine(tmp_path / "root", ["--icc=false"], '{"live-restore": true}')
    for seed in range(start, start + 30):
        rng = random.Random(seed)
        one = {**container("one", PortBindings={"80/tcp": [{"HostPort": "80"}]}), "ExecIDs": ["e1"]}
        answers = engine(one, **WORDS)
        path = rng.choice(list(answers))
        answers[path] = mutated(answers[path], rng, JUNK)
        # A number with a point is silence to the double.
        if isinstance(answers[path], float):
            continue
        folder = tmp_path / str(seed)
        folder.mkdir()
        try:
            found = snapshot(folder, answers, here)
        except BulkheadError:
            continue
        evaluate(found, Request(catalogue(), catalogue().controls))
