"""The user's kubectl: by its own word, a gap where it does not say, nothing where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from bulkhead.core.resource import Gap, Resource
from bulkhead.sources.kubernetes import tools


def tool(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Resource | Gap | None:
    place = folder / "kubectl"
    place.write_text(f"#!/bin/sh\n{script}\n")
    place.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    return tools.kubectl("kubernetes://c")


def test_its_version_is_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = '[ "$*" = "version --client -o json" ] && echo \'{"clientVersion": {"gitVersion": "v1.12.0"}, "kustomizeVersion": "v5"}\''
    found = tool(tmp_path, monkeypatch, script)
    assert isinstance(found, Resource)
    assert (found.ref.kind, found.data) == ("ClientTools", {"kubectl": "v1.12.0"})


@pytest.mark.parametrize("script", ["exit 1", "echo nonsense", "echo '{}'", "echo '[1]'", "yes"])
def test_one_that_does_not_say_it_is_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    found = tool(
        tmp_path,
        monkeypatch,
        script.replace("yes", "while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done"),
    )
    assert isinstance(found, Gap)
    assert found.hides == ("ClientTools",)


def test_without_it_there_is_nothing_to_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert tools.kubectl("kubernetes://c") is None
