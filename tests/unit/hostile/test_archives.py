"""Image archives that somebody made to look clean."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from bulkhead.cli.main import main


@pytest.mark.parametrize(
    ("name", "text"), [("manifest.json", b"[]"), ("index.json", b'{"schemaVersion":2,"manifests":[]}')]
)
def test_an_archive_without_an_image_is_a_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: bytes
) -> None:
    monkeypatch.setenv("BULKHEAD_STATE", str(tmp_path / "state"))
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text))
    assert main(["image", "scan", str(tmp_path / "a.tar"), "--forget"]) == 3
