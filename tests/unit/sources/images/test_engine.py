"""What a real engine saves is read like what the tests make by hand."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import pytest

from bulkhead.sources.images.archive import read_archive
from tests.fakes.images import item, tar


def docker(*words: str, data: bytes = b"") -> bytes:
    return subprocess.run(["docker", *words], input=data, capture_output=True, check=True, timeout=120).stdout


@pytest.fixture
def engine() -> None:
    if not shutil.which("docker"):
        pytest.skip("docker is not installed")
    asked = subprocess.run(["docker", "version", "--format", "{{.Server.Version}}"], capture_output=True, check=False)
    if asked.returncode:
        pytest.skip("no Docker engine answers")


def test_docker_save(engine: None, tmp_path: Path) -> None:
    context = tar(
        item(
            "Dockerfile", b"FROM scratch\nADD files.tar /\nENV DB_PASSWORD=hunter2hunter2\nUSER 1000\nCOPY x /etc/x\n"
        ),
        item("files.tar", tar(item("bin/su", b"1", mode=0o4755), item("etc/x", b"2" * 5000))),
        item("x", b"3"),
    )
    name = "bulkhead-test:read-archive"
    docker("build", "--quiet", "--tag", name, "-", data=io.BytesIO(context).getvalue())
    try:
        docker("save", "--output", str(tmp_path / "i.tar"), name)
    finally:
        docker("image", "rm", name)
    snapshot = read_archive(tmp_path / "i.tar")
    assert snapshot.gaps == ()
    data = snapshot.resources[0].data
    assert data["files"]["setuid"] == ["/bin/su"]
    assert (data["config"]["User"], data["layers_count"], data["wasted_bytes"]) == ("1000", 2, 5000)
    assert "hunter2" not in repr(data)
