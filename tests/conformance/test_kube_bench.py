"""Our control-plane controls beside kube-bench's own definitions: each flag test, kept, broken and left out."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from bulkhead.bootstrap import catalogue as loading
from bulkhead.core.outcome import Outcome, join
from bulkhead.formats import recognise
from bulkhead.posture.evaluate import Request, evaluate
from tests.corpora import folder

_PROGRAMS = {
    "1.2": "kube-apiserver",
    "1.3": "kube-controller-manager",
    "1.4": "kube-scheduler",
    "2": "etcd",
    "3.2": "kube-apiserver",
    "4.2": "kubelet",
    "4.3": "kube-proxy",
}
# Where we differ, and why we are right.
_DIFFER = {
    ("1.3.7", ""): "without --bind-address the controller manager listens on every address",
    ("1.4.2", ""): "without --bind-address the scheduler listens on every address",
}


def _definitions(root: Path) -> Iterator[tuple[str, list[dict[str, Any]], bool]]:
    for name in ("master", "etcd", "controlplane", "node"):
        for group in yaml.safe_load((root / f"{name}.yaml").read_text())["groups"]:
            for check in group["checks"]:
                tests = check.get("tests") or {}
                items = [item for item in tests.get("test_items") or () if item.get("flag", "").startswith("--")]
                if items:
                    yield str(check["id"]), items, tests.get("bin_op") == "or"


def _values(item: dict[str, Any]) -> set[str]:
    """A value that kube-bench takes and one that it refuses, where it looks at values."""
    compare = item.get("compare")
    if not compare:
        return {"/etc/kubernetes/pki/any.pem"} if item.get("set", True) else set()
    operator, wanted = compare["op"], _text(compare["value"])
    if operator == "gte":
        return {wanted, str(int(wanted) - 1), str(int(wanted) + 5)}
    if operator == "valid_elements":
        return {wanted, wanted.split(",")[0], "TLS_RSA_WITH_RC4_128_SHA"}
    if operator in ("has", "nothave") and wanted[0].isupper() and "=" not in wanted:
        return {wanted, f"{wanted},RBAC", "Other"}
    return {wanted, {"true": "false", "false": "true"}.get(wanted, "other")}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _holds(item: dict[str, Any], flags: dict[str, str]) -> bool:
    found = flags.get(item["flag"].removeprefix("--"))
    if item.get("set") is False or found is None:
        return found is None and item.get("set") is False
    compare = item.get("compare")
    if not compare:
        return True
    wanted = _text(compare["value"])
    return {
        "eq": found == wanted,
        "noteq": found != wanted,
        "has": wanted in found,
        "nothave": wanted not in found,
        "gte": found.lstrip("-").isdigit() and wanted.isdigit() and int(found) >= int(wanted),
        "valid_elements": set(found.split(",")) <= set(wanted.split(",")),
    }[compare["op"]]


def test_flags_are_judged_as_kube_bench_judges_them() -> None:
    catalogue = loading.load()
    seen = 0
    differ: dict[tuple[str, str], str] = {}
    for number, items, any_of in _definitions(folder("posture", "kube-bench", "cfg", "cis-1.12")):
        program = next(found for section, found in _PROGRAMS.items() if number.startswith(f"{section}."))
        named = catalogue.by_alias.get(f"cis-kubernetes:{number}", ())
        controls = [control for control in named if control.checks and control.id.startswith("k8s.control-plane.")]
        values: dict[str, set[str]] = {}
        for item in items if controls else ():
            values.setdefault(item["flag"].removeprefix("--"), set()).update(_values(item))
        for chosen in itertools.product(*([("", ""), *((flag, one) for one in values[flag])] for flag in values)):
            flags = {flag: value for flag, value in chosen if flag}
            if not controls or _nonsense(number, flags):
                continue
            held = [_holds(item, flags) for item in items]
            wanted = Outcome.PASS if (any(held) if any_of else all(held)) else Outcome.FAIL
            words = [f"--{flag}={value}" for flag, value in flags.items()]
            container = {"name": program, "image": "registry.example/program:1", "command": [program, *words]}
            pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [container]}}
            snapshot = recognise.recognise("pod.yaml", yaml.safe_dump(pod).encode())
            findings = evaluate(snapshot, Request(catalogue, controls, keep_passes=True)).findings
            told = join(*(finding.outcome for finding in findings))
            seen += 1
            if told is not wanted:
                differ[number, " ".join(words)] = f"kube-bench {wanted}, ours {told}"
    assert seen > 150
    assert differ.keys() == _DIFFER.keys(), differ


def _nonsense(number: str, flags: dict[str, str]) -> bool:
    """A value that the flag's type does not have: kube-bench only asks whether something is written there."""
    numbers_and_switches = {"1.2.21", "1.3.1", "4.2.8", "4.2.13", "4.2.14"}
    return number in numbers_and_switches and any("/" in value for value in flags.values())
