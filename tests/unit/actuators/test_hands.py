"""Files are replaced whole or not at all, inside the root, never through a link."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from bulkhead.actuators.files.hands import LIMIT, Hands
from bulkhead.app.ports import FileFacts
from bulkhead.core.errors import LimitExceeded, SourceError

HANDS = Hands()


def test_the_mode_and_owner_stay(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    path.chmod(0o600)
    facts = HANDS.facts(str(tmp_path), "a")
    HANDS.replace(str(tmp_path), "a", b"new", facts)
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["a"]


def test_a_link_is_never_written_through(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"mine")
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(outside)
    with pytest.raises(SourceError, match="link"):
        HANDS.replace(str(root), "link", b"x", None)
    assert outside.read_bytes() == b"mine"


@pytest.mark.parametrize("target", ["../a", "/etc/passwd", "down/../../a"])
def test_a_path_that_leaves_the_root_is_refused(tmp_path: Path, target: str) -> None:
    root = tmp_path / "root"
    (root / "down").mkdir(parents=True)
    with pytest.raises(SourceError, match="leaves the root"):
        HANDS.replace(str(root), target, b"x", None)


def test_a_folder_that_is_a_link_out_of_the_root_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (root / "down").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SourceError, match="leaves the root"):
        HANDS.replace(str(root), "down/a", b"x", None)


def test_what_is_not_a_plain_file_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceError, match="plain file"):
        HANDS.current(str(tmp_path), "pipe")


def test_a_file_beyond_the_bound_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(LIMIT + 1)
    with pytest.raises(LimitExceeded):
        HANDS.current(str(tmp_path), "huge")


def test_a_missing_folder_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        HANDS.replace(str(tmp_path), "no/such", b"x", FileFacts())
    assert os.listdir(tmp_path) == []
