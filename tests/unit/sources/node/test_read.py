"""A machine of a cluster: what runs, what it would run with, its files, and what may not be read of it."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from bulkhead.core.outcome import Outcome
from bulkhead.core.resource import Resource, Snapshot
from bulkhead.posture.evaluate import Request, evaluate
from bulkhead.sources import node
from bulkhead.sources.machine import Machine
from tests.catalogue_check import catalogue
from tests.fakes.node import KUBELET, SECRET, kubeadm, process, static_pod, write

ORIGIN = "node:///n"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="root alone makes other users' files; root reads everything")


def read(root: Path) -> Snapshot:
    return node.read(Machine(root), ORIGIN)


def component(found: Snapshot, name: str) -> Resource:
    [one] = [item for item in found.resources if item.ref.kind == "Component" and item.ref.name == name]
    return one


def outcome(found: Snapshot, control: str) -> list[Outcome]:
    request = Request(catalogue(), catalogue().named(control), keep_passes=True)
    return [finding.outcome for finding in evaluate(found, request).findings]


def test_a_process_is_read_rather_than_its_manifest_and_the_difference_is_told(tmp_path: Path) -> None:
    root = kubeadm(tmp_path)
    write(root, "/etc/kubernetes/manifests/kube-scheduler.yaml", static_pod("kube-scheduler", {"profiling": "true"}))
    found = read(root)
    assert component(found, "kube-scheduler").data["flags"]["profiling"] == "false"
    assert component(found, "kube-scheduler").data["source"] == "process"
    manifest = "/etc/kubernetes/manifests/kube-scheduler.yaml"
    assert f"kube-scheduler runs with other flags than {manifest} gives it" in found.notes


def test_a_program_that_does_not_run_is_its_static_pod(tmp_path: Path) -> None:
    found = read(kubeadm(tmp_path, running=("kubelet",)))
    assert component(found, "etcd").data["source"] == "static-pod"
    assert "argv" not in component(found, "etcd").data
    assert {item.ref.kind for item in found.resources} >= {
        "EncryptionConfiguration",
        "Policy",
        "AdmissionConfiguration",
    }


def test_secrets_of_settings_are_digests_that_differ_between_readings(tmp_path: Path) -> None:
    root = kubeadm(tmp_path)
    first, second = read(root), read(root)
    assert SECRET not in repr(first)
    [one], [two] = (
        [item.data for item in found.resources if item.ref.kind == "EncryptionConfiguration"]
        for found in (first, second)
    )
    assert one["resources"][0]["providers"][0]["secretbox"]["keys"][0]["secret"].startswith("digest:")
    assert one != two


def test_a_machine_without_kubernetes_is_a_gap(tmp_path: Path) -> None:
    process(tmp_path, 1, ["/sbin/init"])
    [gap] = read(tmp_path).gaps
    assert gap.hides == ("Component", "NodeFile")
    assert read(tmp_path).resources == ()


def test_a_worker_says_that_the_control_plane_is_elsewhere(tmp_path: Path) -> None:
    write(tmp_path, "/var/lib/kubelet/config.yaml", yaml.safe_dump(KUBELET))
    process(tmp_path, 5, ["/usr/bin/kubelet", "--config", "/var/lib/kubelet/config.yaml"])
    found = read(tmp_path)
    assert "this machine runs kubelet: the control plane is judged where it runs" in found.notes
    assert outcome(found, "k8s.control-plane.kubelet-anonymous") == [Outcome.PASS]
    assert not found.gaps


@pytest.mark.parametrize("text", ["{", "kind: [", "a: b\n---\nc: d\n", "- list\n", "{" * 50_000])
def test_a_kubelet_whose_settings_cannot_be_read_is_an_error_and_never_a_pass(tmp_path: Path, text: str) -> None:
    root = kubeadm(tmp_path)
    write(root, "/var/lib/kubelet/config.yaml", text)
    found = read(root)
    assert [gap.hides for gap in found.gaps] == [("KubeletConfiguration",)]
    assert Outcome.PASS not in outcome(found, "k8s.control-plane.kubelet-anonymous")
    assert component(found, "kubelet").data["config"] == {}


def test_drop_ins_are_laid_over_the_settings_in_order(tmp_path: Path) -> None:
    root = kubeadm(tmp_path)
    write(root, "/etc/kubelet.d/20-b.conf", "authentication: {anonymous: {enabled: true}}\n")
    write(root, "/etc/kubelet.d/10-a.conf", "authentication: {anonymous: {enabled: false}}\nclusterDNS: [10.0.0.1]\n")
    write(root, "/etc/kubelet.d/30.yaml", "readOnlyPort: 10255\n")
    process(root, 104, ["kubelet", "--config=/var/lib/kubelet/config.yaml", "--config-dir=/etc/kubelet.d"])
    found = read(root)
    config = component(found, "kubelet").data["config"]
    assert config["authentication"]["anonymous"] == {"enabled": True}
    assert config["authentication"]["webhook"] == {"enabled": True}
    assert config["readOnlyPort"] == 0
    assert outcome(found, "k8s.control-plane.kubelet-anonymous") == [Outcome.FAIL]
    files = {item.ref.name for item in found.resources if item.ref.uid == "kubelet-config"}
    assert files == {"/var/lib/kubelet/config.yaml", "/etc/kubelet.d/10-a.conf", "/etc/kubelet.d/20-b.conf"}


def test_a_flag_is_over_the_settings(tmp_path: Path) -> None:
    root = kubeadm(tmp_path, but={"kubelet": {"anonymous-auth": "true"}})
    assert outcome(read(root), "k8s.control-plane.kubelet-anonymous") == [Outcome.FAIL]


@pytest.mark.parametrize(
    ("environ", "told"), [("ETCD_CERT_FILE=/a\0ETCD_KEY_FILE=/b\0HOME=/\0", Outcome.PASS), ("HOME=/\0", Outcome.FAIL)]
)
def test_etcd_takes_its_settings_from_its_environment_too(tmp_path: Path, environ: str, told: Outcome) -> None:
    root = kubeadm(tmp_path, but={"etcd": {"cert-file": None, "key-file": None}})
    process(root, 103, ["etcd", "--data-dir=/var/lib/etcd"], environ=environ + "ETCD_ROOT_PASSWORD=hunter2\0TOKEN=x\0")
    found = read(root)
    assert outcome(found, "k8s.control-plane.etcd-cert") == [told]
    assert "hunter2" not in repr(found)
    assert "HOME" not in component(found, "etcd").data["env"]


def test_an_etcd_whose_environment_is_hidden_is_a_gap(tmp_path: Path) -> None:
    root = kubeadm(tmp_path)
    (root / "proc/103/environ").unlink()
    found = read(root)
    assert [(gap.where, gap.hides) for gap in found.gaps] == [(f"{ORIGIN}/proc/103/environ", ("Component",))]


def test_a_settings_file_of_etcd_decides_alone(tmp_path: Path) -> None:
    root = kubeadm(tmp_path)
    write(
        root,
        "/etc/etcd.yaml",
        "client-transport-security: {cert-file: /a, key-file: /b, client-cert-auth: true}\ncipher-suites: [A, B]\n",
    )
    process(root, 103, ["etcd", "--config-file=/etc/etcd.yaml", "--peer-auto-tls=true"])
    assert component(read(root), "etcd").data["flags"] == {
        "cert-file": "/a", "key-file": "/b", "client-cert-auth": "true", "cipher-suites": "A,B", "config-file": "/etc/etcd.yaml",
    }  # fmt: skip


def test_openshift_s_settings_lie_below_the_flags(tmp_path: Path) -> None:
    root = kubeadm(tmp_path, running=("kubelet",))
    (root / "etc/kubernetes/manifests/kube-apiserver.yaml").unlink()
    given = {
        "apiServerArguments": {
            "anonymous-auth": ["true"],
            "authorization-mode": ["RBAC", "Node"],
            "profiling": ["false"],
        }
    }
    write(root, "/etc/api.yaml", yaml.safe_dump({"kind": "KubeAPIServerConfig", **given}))
    process(root, 100, ["hyperkube", "kube-apiserver", "--openshift-config=/etc/api.yaml", "--anonymous-auth=false"])
    flags = component(read(root), "kube-apiserver").data["flags"]
    assert (flags["anonymous-auth"], flags["authorization-mode"]) == ("false", ["RBAC", "Node"])
    (root / "etc/api.yaml").unlink()
    found = read(root)
    assert [gap.hides for gap in found.gaps] == [("Component",)]
    assert outcome(found, "k8s.control-plane.api-anonymous-auth") == []


@pytest.mark.parametrize(
    "argv", [["/usr/local/bin/k3s server"], ["k3s", "server", "--disable", "traefik"], ["microshift", "run"]]
)
def test_programs_inside_another_are_a_gap(tmp_path: Path, argv: list[str]) -> None:
    process(tmp_path, 7, argv)
    [gap] = read(tmp_path).gaps
    assert gap.hides == ("Component",)
    assert "inside its own process" in gap.reason


def test_microk8s_has_its_arguments_in_files(tmp_path: Path) -> None:
    args = "/var/snap/microk8s/current/args"
    write(
        tmp_path,
        f"{args}/kube-apiserver",
        "# comment\n--anonymous-auth=false\n--client-ca-file=${SNAP_DATA}/certs/ca.crt\n",
    )
    write(tmp_path, f"{args}/kubelet", "--anonymous-auth false\n--read-only-port='0'\n")
    process(tmp_path, 7, ["/snap/microk8s/1/kubelite", "--scheduler-args-file=x"])
    found = read(tmp_path)
    flags = component(found, "kube-apiserver").data["flags"]
    assert flags == {"anonymous-auth": "false", "client-ca-file": "/var/snap/microk8s/current/certs/ca.crt"}
    assert component(found, "kubelet").data["flags"] == {"anonymous-auth": "false", "read-only-port": "0"}


def test_settings_that_are_newer_than_their_program_are_told(tmp_path: Path) -> None:
    root = kubeadm(tmp_path)
    process(root, 104, ["kubelet", "--config=/var/lib/kubelet/config.yaml"], started=5)
    notes = read(root).notes
    assert "/var/lib/kubelet/config.yaml was changed after kubelet started: what it says may not be in force" in notes


def test_files_are_read_as_the_process_sees_them(tmp_path: Path) -> None:
    """A proxy in a pod has its settings from a ConfigMap: they are at no such path of the machine."""
    root = kubeadm(tmp_path)
    (root / "var/lib/kube-proxy/config.conf").unlink()
    write(root, "/proc/105/root/etc/os-release", "")
    write(
        root,
        "/proc/105/root/var/lib/kube-proxy/config.conf",
        "kind: KubeProxyConfiguration\nmetricsBindAddress: 0.0.0.0:10249\n",
    )
    found = read(root)
    assert component(found, "kube-proxy").data["config"]["metricsBindAddress"] == "0.0.0.0:10249"
    assert outcome(found, "k8s.control-plane.kproxy-metrics") == [Outcome.FAIL]


def test_links_of_a_process_lead_no_further_than_its_own_root(tmp_path: Path) -> None:
    """A pod that calls itself kube-proxy must not have this machine's files read as its settings."""
    root = kubeadm(tmp_path)
    write(root, "/etc/secret.yaml", "kind: KubeProxyConfiguration\npassword: hunter2\n")
    write(root, "/proc/105/root/etc/os-release", "")
    inside = root / "proc/105/root/var/lib/kube-proxy"
    inside.mkdir(parents=True)
    (inside / "config.conf").symlink_to("/../../../../../etc/secret.yaml")
    found = read(root)
    assert "hunter2" not in repr(found)
    assert [gap.hides for gap in found.gaps] == [("KubeProxyConfiguration",)]


def test_a_pipe_in_place_of_settings_is_not_waited_for(tmp_path: Path) -> None:
    root = kubeadm(tmp_path)
    place = root / "var/lib/kubelet/config.yaml"
    place.unlink()
    os.mkfifo(place)
    assert [gap.hides for gap in read(root).gaps] == [("KubeletConfiguration",)]


def test_links_in_a_circle_and_folders_without_end_are_gaps(tmp_path: Path) -> None:
    root = kubeadm(tmp_path)
    (root / "etc/kubernetes/admin.conf").unlink()
    (root / "etc/kubernetes/admin.conf").symlink_to("admin.conf")
    deep = root / "etc/kubernetes/pki"
    for _ in range(12):
        deep /= "d"
    deep.mkdir(parents=True)
    found = read(root)
    assert {gap.where.removeprefix(ORIGIN) for gap in found.gaps} >= {"/etc/kubernetes/admin.conf"}
    assert all(gap.hides == ("NodeFile",) for gap in found.gaps)
    assert len(found.gaps) == 2


def test_a_link_stands_for_the_file_that_it_leads_to(tmp_path: Path) -> None:
    root = kubeadm(tmp_path)
    place = root / "etc/kubernetes/kubelet.conf"
    place.rename(root / "etc/kubernetes/real.conf")
    place.symlink_to("/etc/kubernetes/real.conf")
    (root / "etc/kubernetes/real.conf").chmod(0o644)
    [one] = [item for item in read(root).resources if item.ref.uid == "kubelet-kubeconfig"]
    assert (one.ref.name, one.data["mode"]) == ("/etc/kubernetes/real.conf", "644")


def test_a_file_with_a_key_is_a_key_whatever_it_is_called(tmp_path: Path) -> None:
    root = kubeadm(tmp_path)
    both = "-----BEGIN CERTIFICATE-----\nMAA=\n-----BEGIN " + "PRIVATE KEY-----\nMAA=\n"
    write(root, "/etc/kubernetes/pki/both.pem", both, 0o644)
    roles = {item.ref.uid for item in read(root).resources if item.ref.name == "/etc/kubernetes/pki/both.pem"}
    assert roles == {"pki-key"}


def test_static_pods_that_cannot_be_read_hide_programs(tmp_path: Path) -> None:
    root = kubeadm(tmp_path, running=("kubelet",))
    write(root, "/etc/kubernetes/manifests/etcd.yaml", "spec: [")
    write(root, "/etc/kubernetes/manifests/.swp", "spec: [")
    [gap] = read(root).gaps
    assert gap.where == f"{ORIGIN}/etc/kubernetes/manifests/etcd.yaml"
    assert gap.hides == ("Component",)


@pytest.mark.parametrize(
    "text", ["", "kind: Nothing\napiVersion: v1\n", "apiVersion: audit.k8s.io/v1\nkind: Policy\n---\n[", "[" * 9999]
)
def test_a_policy_that_cannot_be_read_is_a_gap(tmp_path: Path, text: str) -> None:
    root = kubeadm(tmp_path)
    write(root, "/etc/kubernetes/audit.yaml", text)
    assert [gap.hides for gap in read(root).gaps] == [("Policy",)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"default": [{"type": "insecureAcceptAnything"}]}', [Outcome.FAIL]),
        ('{"default": [{"type": "reject"}]}', [Outcome.PASS]),
        ("{", []),
    ],
)
def test_the_policy_of_signatures_counts_where_the_runtime_asks_it(
    tmp_path: Path, text: str, told: list[Outcome]
) -> None:
    root = kubeadm(tmp_path)
    write(root, "/etc/containers/policy.json", text)
    assert outcome(read(root), "openshift.unsigned-images") == []
    assert not read(root).gaps
    process(root, 9, ["/usr/bin/crio"])
    assert outcome(read(root), "openshift.unsigned-images") == told
    assert bool(read(root).gaps) is not bool(told)


def test_this_machine_s_own_processes_are_found_by_their_first_word() -> None:
    """A real process of this name, and a word of another that only looks like one."""
    argv = ["/opt/x/kube-scheduler", "-e", "sleep 60", "--", "--profiling=true"]
    with subprocess.Popen(argv, executable="/usr/bin/perl") as running:
        try:
            machine = Machine()
            end = time.monotonic() + 20
            while machine.arguments(running.pid) != argv:
                assert time.monotonic() < end
                time.sleep(0.01)  # It has been started, and the kernel has not told its words yet.
            found = [one for one in node.read(machine, ORIGIN).resources if one.ref.name == "kube-scheduler"]
            assert [one.data["flags"]["profiling"] for one in found] == ["true"]
        finally:
            running.kill()


@as_root
def test_owners_are_told_by_the_machine_s_own_names(tmp_path: Path) -> None:
    found = read(kubeadm(tmp_path))
    [data] = [item.data for item in found.resources if item.ref.uid == "etcd-data"]
    assert (data["owner"], data["group"], data["mode"]) == ("etcd", "etcd", "700")
