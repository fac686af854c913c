"""kube-bench's sections on a node as it runs: each check decided, kept by a well-made node, failed once its one thing is broken."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bulkhead.core.outcome import Outcome, join
from bulkhead.core.resource import Snapshot
from bulkhead.posture.evaluate import Request, evaluate
from bulkhead.sources import node
from bulkhead.sources.machine import Machine
from tests.catalogue_check import catalogue
from tests.conformance.test_kube_bench import _PROGRAMS, _holds, _nonsense, _values
from tests.corpora import folder
from tests.fakes.node import kubeadm

_MANUAL = {
    "2.7": "whether etcd's authority signs for nothing else cannot be read from its flags",
    "3.1.1": "who uses client certificates is in the audit log and in people's folders",
    "3.1.2": "who uses tokens of service accounts is in the audit log",
    "3.1.3": "whether a bootstrap token is used by a person is in the audit log",
    "4.2.7": "the name is right where the certificate's is: kube-bench asks a person as well",
}
"""What a machine cannot decide. Ours tells a person what to look at."""
_FILES = {
    "1.1.1": "/etc/kubernetes/manifests/kube-apiserver.yaml", "1.1.3": "/etc/kubernetes/manifests/kube-controller-manager.yaml",
    "1.1.5": "/etc/kubernetes/manifests/kube-scheduler.yaml", "1.1.7": "/etc/kubernetes/manifests/etcd.yaml",
    "1.1.9": "/etc/cni/net.d/10-net.conflist", "1.1.11": "/var/lib/etcd", "1.1.13": "/etc/kubernetes/super-admin.conf",
    "1.1.15": "/etc/kubernetes/scheduler.conf", "1.1.17": "/etc/kubernetes/controller-manager.conf",
    "1.1.20": "/etc/kubernetes/pki/apiserver.crt", "1.1.21": "/etc/kubernetes/pki/etcd/peer.key",
    "4.1.1": "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf", "4.1.3": "/var/lib/kube-proxy/kubeconfig.conf",
    "4.1.5": "/etc/kubernetes/kubelet.conf", "4.1.7": "/etc/kubernetes/pki/ca.crt", "4.1.9": "/var/lib/kubelet/config.yaml",
}  # fmt: skip
_OWNERS = {
    "1.1.2": "1.1.1", "1.1.4": "1.1.3", "1.1.6": "1.1.5", "1.1.8": "1.1.7", "1.1.10": "1.1.9", "1.1.12": "1.1.11",
    "1.1.14": "1.1.13", "1.1.16": "1.1.15", "1.1.18": "1.1.17", "1.1.19": "1.1.20", "4.1.2": "4.1.1", "4.1.4": "4.1.3",
    "4.1.6": "4.1.5", "4.1.8": "4.1.7", "4.1.10": "4.1.9",
}  # fmt: skip
_KUBELET: dict[str, dict[str, Any]] = {
    "4.2.1": {"authentication": {"anonymous": {"enabled": True}}}, "4.2.2": {"authorization": {"mode": "AlwaysAllow"}},
    "4.2.3": {"authentication": {"anonymous": {"enabled": False}}}, "4.2.4": {"readOnlyPort": 10255},
    "4.2.5": {"streamingConnectionIdleTimeout": "0s"}, "4.2.6": {"makeIPTablesUtilChains": False},
    "4.2.8": {"eventRecordQPS": -1}, "4.2.9": {"tlsCertFile": "", "serverTLSBootstrap": False}, "4.2.10": {"rotateCertificates": False},
    "4.2.11": {"featureGates": {"RotateKubeletServerCertificate": False}, "serverTLSBootstrap": False},
    "4.2.12": {"tlsCipherSuites": ["TLS_RSA_WITH_RC4_128_SHA"]}, "4.2.13": {"podPidsLimit": -1}, "4.2.14": {"seccompDefault": False},
}  # fmt: skip


def _checks() -> Iterator[tuple[str, list[dict[str, Any]], bool]]:
    root = folder("posture", "kube-bench", "cfg", "cis-1.12")
    for name in ("master", "etcd", "controlplane", "node"):
        for group in yaml.safe_load((root / f"{name}.yaml").read_text())["groups"]:
            for check in group["checks"]:
                tests = check.get("tests") or {}
                items = [item for item in tests.get("test_items") or () if item.get("flag", "").startswith("--")]
                yield str(check["id"]), items, tests.get("bin_op") == "or"


def _told(snapshot: Snapshot, number: str) -> Outcome:
    """What the controls of this number say together."""
    controls = [control for control in catalogue().by_alias[f"cis-kubernetes:{number}"] if control.checks]
    return join(
        *(finding.outcome for finding in evaluate(snapshot, Request(catalogue(), controls, keep_passes=True)).findings)
    )


def _read(root: Path) -> Snapshot:
    return node.read(Machine(root), "node:///n")


def test_every_check_is_decided_and_a_well_made_node_keeps_it(tmp_path: Path) -> None:
    found = _read(kubeadm(tmp_path))
    assert not found.gaps
    told = {number: _told(found, number) for number, _, _ in _checks() if number not in _MANUAL}
    if os.geteuid() != 0:
        del told["1.1.12"]  # Only root can give a folder to etcd.
    assert len(told) > 80
    assert {number: outcome for number, outcome in told.items() if outcome is not Outcome.PASS} == {}
    for number in _MANUAL:
        assert catalogue().by_alias[f"cis-kubernetes:{number}"], number


@pytest.mark.parametrize("number", sorted(_FILES))
def test_a_mode_that_is_too_wide_is_found(tmp_path: Path, number: str) -> None:
    place = kubeadm(tmp_path) / _FILES[number].lstrip("/")
    place.chmod(0o777 if place.is_dir() else 0o666)
    assert _told(_read(tmp_path), number) is Outcome.FAIL


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to others")
@pytest.mark.parametrize("number", sorted(_OWNERS))
def test_an_owner_that_is_wrong_is_found(tmp_path: Path, number: str) -> None:
    place = kubeadm(tmp_path) / _FILES[_OWNERS[number]].lstrip("/")
    os.chown(place, 12_345, 12_345)
    assert _told(_read(tmp_path), number) is Outcome.FAIL


@pytest.mark.parametrize("number", sorted(_KUBELET))
def test_a_setting_of_the_kubelet_that_is_wrong_is_found(tmp_path: Path, number: str) -> None:
    assert _told(_read(kubeadm(tmp_path, kubelet=_KUBELET[number])), number) is Outcome.FAIL


def test_a_flag_that_is_wrong_is_found_as_kube_bench_finds_it(tmp_path: Path) -> None:
    seen: dict[str, int] = {}
    differ = []
    for number, items, any_of in _checks():
        program = next((name for section, name in _PROGRAMS.items() if number.startswith(f"{section}.")), "")
        if number in _MANUAL or program in ("", "kubelet", "kube-proxy"):
            continue
        for broken in _broken(items, any_of=any_of):
            given = {flag: value for flag, value in broken.items() if value is not None}
            held = [_holds(item, given) for item in items if item["flag"].removeprefix("--") in broken]
            if _nonsense(number, given) or (any(held) if any_of else all(held)):
                continue
            root = kubeadm(tmp_path / f"{number}-{seen.get(number, 0)}", but={program: broken})
            seen[number] = seen.get(number, 0) + 1
            if _told(_read(root), number) is not Outcome.FAIL:
                differ.append((number, broken))
    assert len(seen) > 40
    assert differ == []


def _broken(items: list[dict[str, Any]], *, any_of: bool) -> Iterator[dict[str, str | None]]:
    """One flag left out or of another value; all of them together where one would do."""
    if any_of:
        yield {item["flag"].removeprefix("--"): None for item in items}
    for item in items:
        for value in (None, *sorted(_values(item))):
            yield {item["flag"].removeprefix("--"): value}
