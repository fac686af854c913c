"""A node's files repaired and given back; what is changed in between is left alone."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

import pytest

from bulkhead.actuators.node import NodeHands
from bulkhead.app import live
from bulkhead.app.live import Site, Trial
from bulkhead.app.scan import Context, Scan, Selection
from bulkhead.bootstrap import live as worlds
from bulkhead.bootstrap import running
from bulkhead.core.control import MitigationClass
from bulkhead.core.plan import Rollout
from bulkhead.mitigation.choosing import Consent
from tests.catalogue_check import catalogue
from tests.fakes.node import kubeadm
from tests.fakes.store import MemoryJournal

_BROKEN = {
    "etc/kubernetes/manifests/etcd.yaml": 0o644, "etc/kubernetes/super-admin.conf": 0o640, "etc/kubernetes/pki/apiserver.key": 0o644,
    "etc/kubernetes/pki/etcd/peer.crt": 0o666, "etc/systemd/system/kubelet.service.d/10-kubeadm.conf": 0o664,
    "var/lib/kubelet/config.yaml": 0o604, "etc/cni/net.d/10-net.conflist": 0o622, "var/lib/etcd": 0o755,
    "var/log/kubernetes/audit": 0o755,
}  # fmt: skip


class Node:
    """One laid-out machine with its hands and a journal."""

    def __init__(self, root: Path) -> None:
        nothing = None
        self.folder = root
        self.world = worlds.world(f"node://{root}", nothing)  # type: ignore[arg-type]
        self.hands = {"node": NodeHands("", root=root)}
        self.journal = MemoryJournal()
        self.context = Context(catalogue(), lambda: "2026-11-27T10:00:00+00:00")

    def plan(self) -> tuple[Trial, Scan]:
        snapshot = running.run(self.world.read())
        scan = live.judged(snapshot, self.world.root, self.context, Selection(catalogue().controls), self.journal)
        every = frozenset(control.id for control in catalogue().controls)
        trial = live.propose(
            scan, self.context, Consent(MitigationClass.PROPOSE, every), Rollout(canary=0, watch_seconds=0)
        )
        return running.run(live.rehearse(trial, self.hands)), scan

    def apply(self, trial: Trial, scan: Scan) -> live.Applied:
        site = Site(self.world, self.hands, self.journal, asyncio.sleep)
        return running.run(live.apply(trial, scan, site, self.context, actor="ada"))

    def modes(self) -> dict[str, int]:
        return {path: stat.S_IMODE((self.folder / path).stat().st_mode) for path in _BROKEN}


@pytest.fixture
def node(tmp_path: Path) -> Node:
    root = kubeadm(tmp_path / "n")
    for path, mode in _BROKEN.items():
        (root / path).chmod(mode)
    return Node(root)


def test_modes_are_repaired_proved_and_given_back(node: Node) -> None:
    trial, scan = node.plan()
    assert {step.method for step in trial.plan.steps} == {"mode"}
    done = node.apply(trial, scan)
    assert done.entry
    # A certificate may be read by everybody.
    assert {path: oct(mode) for path, mode in node.modes().items() if mode & 0o077} == {
        "etc/kubernetes/pki/etcd/peer.crt": "0o644"
    }
    again, _ = node.plan()
    assert again.plan.steps == ()
    running.run(live.undo(done.entry, node.hands, node.journal, tenant="default"))
    assert node.modes() == _BROKEN


def test_a_mode_that_somebody_changed_since_is_left_alone(node: Node) -> None:
    trial, scan = node.plan()
    other = node.folder / "etc/kubernetes/super-admin.conf"
    other.chmod(0o444)
    before = node.modes()
    assert "changed" in node.apply(trial, scan).reason
    assert node.modes() == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to others")
def test_an_owner_is_given_back_by_name(node: Node) -> None:
    place = node.folder / "etc/kubernetes/admin.conf"
    os.chown(place, 12_345, 12_345)
    trial, scan = node.plan()
    done = node.apply(trial, scan)
    assert (place.stat().st_uid, place.stat().st_gid) == (0, 0)
    running.run(live.undo(done.entry, node.hands, node.journal, tenant="default"))
    assert (place.stat().st_uid, place.stat().st_gid) == (12_345, 12_345)


def test_a_link_that_takes_a_file_s_place_is_not_followed(node: Node) -> None:
    trial, scan = node.plan()
    place = node.folder / "etc/kubernetes/super-admin.conf"
    victim = node.folder / "victim"
    victim.write_text("")
    victim.chmod(0o644)
    place.unlink()
    place.symlink_to(victim)
    assert node.apply(trial, scan).reason
    assert stat.S_IMODE(victim.stat().st_mode) == 0o644
