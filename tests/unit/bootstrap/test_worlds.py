"""Worlds by their targets: a folder is scanned with its own settings and remembered in our store."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bulkhead.app import fix as fixing
from bulkhead.app import scan as scanning
from bulkhead.app.ports import Query
from bulkhead.bootstrap import root, worlds
from bulkhead.bootstrap.root import Root
from bulkhead.core.errors import Conflict, SettingsError, SourceError, UsageError
from bulkhead.mitigation.plan import Consent

BAD = """\
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  containers: [{name: a, image: a, securityContext: {privileged: true}}]
"""


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Root]:
    monkeypatch.setenv("BULKHEAD_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("BULKHEAD_SETTINGS", raising=False)
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "p.yaml").write_text(BAD)
    with root.open_root(tmp_path) as made:
        yield made


def test_a_folder_is_scanned_with_its_own_settings(opened: Root, tmp_path: Path) -> None:
    tree = str(tmp_path / "tree")
    assert opened.store is not None
    done = worlds.scan(tree, opened)
    assert done.report.root == tree
    assert done.diff.new
    (tmp_path / "tree" / "bulkhead.toml").write_text("skip = ['container.privileged']\ntenant = 'somebody else'")
    again = worlds.scan(tree, opened)
    assert again.report.tenant == "default", "a tree does not choose whose findings these are"
    assert not [item for item in again.report.findings if item.control == "container.privileged"]
    assert opened.store.search(Query(controls=("container.privileged",))).total == 1, "not judged is not fixed"


def test_what_cannot_be_read_stays_open(opened: Root, tmp_path: Path) -> None:
    tree = str(tmp_path / "tree")
    assert opened.store is not None
    worlds.scan(tree, opened)
    before = opened.store.search(Query()).total
    shutil.move(tree, tmp_path / "elsewhere")
    with pytest.raises(SourceError, match="nothing at that path"):
        worlds.scan(tree, opened)
    with pytest.raises(SourceError, match="cannot be asked"):
        worlds.scan("docker:///nowhere/docker.sock", opened)
    assert opened.store.search(Query()).total == before


def test_names_of_worlds(opened: Root, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert worlds.root_of("tree", opened) == str(tmp_path / "tree")
    assert worlds.root_of("docker:///x/docker.sock", opened) == "docker:///x/docker.sock"
    for wrong in ("ftp://x", "https://example.com"):
        with pytest.raises(UsageError, match="no world is called like that"):
            worlds.root_of(wrong, opened)


def test_a_repair_is_proposed_for_one_finding(opened: Root, tmp_path: Path) -> None:
    tree = str(tmp_path / "tree")
    worlds.scan(tree, opened)
    assert opened.store is not None
    (finding,) = opened.store.search(Query(controls=("container.privileged",))).findings
    shown = worlds.proposed(finding, opened)
    assert "privileged: false" in shown.diff
    assert shown.description
    assert not shown.left
    assert (tmp_path / "tree" / "p.yaml").read_text() == BAD, "nothing is written"
    (tmp_path / "tree" / "p.yaml").write_text(BAD.replace("true", "false"))
    assert "not found when the world was read again" in worlds.proposed(finding, opened).left
    shutil.rmtree(tree)
    with pytest.raises(SourceError):
        worlds.proposed(finding, opened)


def test_an_applied_change_is_taken_back(opened: Root, tmp_path: Path) -> None:
    tree = str(tmp_path / "tree")
    scan = scanning.judge(opened.files.read(tree), tree, opened.context, opened.selection())
    consent = Consent(controls=frozenset({"container.privileged"}), only=frozenset({"container.privileged"}))
    trial = fixing.propose(scan, opened.files, opened.context, consent)
    done = fixing.apply(trial, scan, opened.files, opened.hands, opened.journal, opened.context, actor="ada")
    assert (tmp_path / "tree" / "p.yaml").read_text() != BAD
    assert worlds.undo(done.entry, opened) == ("p.yaml",)
    assert (tmp_path / "tree" / "p.yaml").read_text() == BAD
    with pytest.raises(Conflict):
        worlds.undo(done.entry, opened)


def test_a_tree_with_wrong_settings_says_so(opened: Root, tmp_path: Path) -> None:
    (tmp_path / "tree" / "bulkhead.toml").write_text("[store]\nurl = 'postgresql://evil.example/x'")
    with pytest.raises(SettingsError, match="a folder's file may not set it"):
        worlds.scan(str(tmp_path / "tree"), opened)
