"""A disk that has no room left, at every point of a fix: nothing is half-written, nothing is lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SHOP = Path(__file__).resolve().parents[2] / "examples" / "shop" / "k8s"
_SIZE = 160 * 1024


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of 160 KiB."""
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    folder = tmp_path / "small"
    folder.mkdir()
    made = subprocess.run(
        [mount, "-t", "tmpfs", "-o", f"size={_SIZE}", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {made.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def fill(folder: Path, left: int) -> None:
    """All but so many bytes."""
    room = os.statvfs(folder)
    (folder / "fill").write_bytes(b"\0" * max(room.f_bavail * room.f_frsize - left, 0))


def fix(folder: Path, state: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "bulkhead", "fix", str(folder), "--apply", "--consent", "guarded"],
        env={**os.environ, "BULKHEAD_STATE": str(state)},
        capture_output=True,
        check=False,
    )


def test_a_fix_takes_back_what_it_wrote_before_the_disk_was_full(small: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    for left in (0, 4096, 8192, 12288, 16384):
        tree = small / "k8s"
        shutil.copytree(SHOP, tree)
        before = contents(tree)
        fill(small, left)
        done = fix(tree, state)
        assert done.returncode == 3, left
        assert b"no space left" in done.stderr, left
        assert contents(tree) == before, left
        (small / "fill").unlink()
        shutil.rmtree(tree)


def test_nothing_is_written_where_the_journal_has_no_room(small: Path, tmp_path: Path) -> None:
    state = small / "state"
    state.mkdir(mode=0o700)
    tree = tmp_path / "k8s"
    shutil.copytree(SHOP, tree)
    before = contents(tree)
    done = fix(tree, state)
    assert done.returncode == 3
    assert b"full" in done.stderr
    assert contents(tree) == before
