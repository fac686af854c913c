"""Trees of files, good and bad: what is read, and what becomes a gap."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

import pytest

from bulkhead.core.errors import SourceError
from bulkhead.core.resource import Gap, Snapshot
from bulkhead.sources.files import Limits, Renderer, parse, read

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n"


def put(root: Path, files: Mapping[str, str | bytes]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def names(snapshot: Snapshot) -> list[tuple[str, str]]:
    return [(resource.ref.origin, resource.ref.kind) for resource in snapshot.resources]


def only_gap(snapshot: Snapshot) -> Gap:
    (gap,) = snapshot.gaps
    return gap


def test_a_tree_in_its_order(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "b/pod.yaml": POD,
            "a.json": '{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}}',
            "Dockerfile": "FROM scratch\n",
            "compose.yaml": "services: {a: {image: x}}\n",
            "notes.txt": "kind: Pod",
            ".git/config.yaml": POD,
            "node_modules/x/pod.yaml": POD,
            "go.mod": "",
            "vendor/pod.yaml": POD,
        },
    )
    snapshot = read(tmp_path)
    assert names(snapshot) == [
        ("Dockerfile", "Dockerfile"), ("a.json", "Service"), ("b/pod.yaml", "Pod"), ("compose.yaml", "Compose"),
    ]  # fmt: skip
    assert snapshot.gaps == ()
    assert read(tmp_path) == snapshot


def test_one_file(tmp_path: Path) -> None:
    put(tmp_path, {"pod.yaml": POD})
    snapshot = read(str(tmp_path / "pod.yaml"))
    assert names(snapshot) == [("pod.yaml", "Pod")]
    assert names(parse("pod.yaml", POD.encode())) == names(snapshot)
    with pytest.raises(SourceError):
        read(tmp_path / "absent")


def test_variables_of_a_terraform_folder(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "a/main.tf": 'resource "x" "y" {\n  v = var.size\n}\n',
            "a/variables.tf": 'variable "size" {\n  default = 3\n}\n',
            "b/main.tf": 'resource "x" "y" {\n  w = var.size == 3\n}\n',
        },
    )
    first, second = read(tmp_path).resources
    assert first.data == {"v": 3}
    assert repr(second.data) == "{'w': UNKNOWN}"


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("bomb.yaml", b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
            b"%c: &%c [%s]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n)] * 9)) for n in range(9)), "B210"),
        ("deep.yaml", b"[" * 50_000, "B210"),
        ("deep.json", b'{"apiVersion":' * 50_000, "B210"),
        ("binary.yaml", bytes(range(256)), "B220"),
        ("wide.yaml", POD.encode("utf-16"), "B220"),
        ("latin.yaml", POD.encode() + b"# \xe9\n", "B220"),
        ("nul.yaml", POD.encode() + b"\0", "B220"),
        ("twice.yaml", POD.encode() + b"kind: Pod\n", "B220"),
        ("cut.json", b'{"apiVersion": "v1", "kind": ', "B220"),
        ("templated.yaml", b"{{- if .x }}\n" + POD.encode() + b"{{- end }}\n", "B220"),
    ],
)  # fmt: skip
def test_a_bad_file_is_a_gap_and_the_rest_is_read(tmp_path: Path, name: str, data: bytes, code: str) -> None:
    put(tmp_path, {name: data, "good.yaml": POD})
    snapshot = read(tmp_path)
    assert names(snapshot) == [("good.yaml", "Pod")]
    gap = only_gap(snapshot)
    assert (gap.where, gap.code, gap.hides) == (name, code, ("*",))
    assert gap.reason


def test_foreign_binaries_are_no_gap(tmp_path: Path) -> None:
    put(tmp_path, {"a.png": bytes(range(256)), "b.bin": b"\0", "tsconfig.json": "{ // c\n}"})
    assert read(tmp_path) == Snapshot()


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    put(tmp_path, {"huge.yaml": "", "good.yaml": POD})
    os.truncate(tmp_path / "huge.yaml", 1 << 30)
    snapshot = read(tmp_path)
    assert names(snapshot) == [("good.yaml", "Pod")]
    assert (only_gap(snapshot).where, only_gap(snapshot).code) == ("huge.yaml", "B210")


def test_links(tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "tree"
    put(outside, {"secret.yaml": POD, "folder/x.yaml": POD})
    put(inside, {"a/pod.yaml": POD})
    (inside / "a" / "loop").symlink_to(inside)
    (inside / "self.yaml").symlink_to("self.yaml")
    (inside / "gone.yaml").symlink_to("nowhere")
    (inside / "leaves.yaml").symlink_to(outside / "secret.yaml")
    (inside / "leaving").symlink_to(outside / "folder")
    (inside / "again.yaml").symlink_to(inside / "a" / "pod.yaml")
    snapshot = read(inside)
    assert names(snapshot) == [("a/pod.yaml", "Pod"), ("again.yaml", "Pod")]
    assert sorted(gap.where for gap in snapshot.gaps) == ["gone.yaml", "leaves.yaml", "leaving", "self.yaml"]


def test_special_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    assert only_gap(read(tmp_path)).where == "pipe.yaml"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_an_unreadable_file(tmp_path: Path) -> None:
    put(tmp_path, {"pod.yaml": POD})
    (tmp_path / "pod.yaml").chmod(0)
    assert only_gap(read(tmp_path)).where == "pod.yaml"


def test_bounds(tmp_path: Path) -> None:
    put(tmp_path, {f"{n}.yaml": POD for n in range(5)} | {"d/e/f.yaml": POD})
    assert [gap.code for gap in read(tmp_path, limits=Limits(files=2)).gaps] == ["B210"]
    assert [gap.code for gap in read(tmp_path, limits=Limits(total_size=100)).gaps] == ["B210"]
    assert [gap.where for gap in read(tmp_path, limits=Limits(depth=1)).gaps] == ["d/e"]
    assert len(read(tmp_path, limits=Limits(file_size=10)).gaps) == 6


def program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


CHART: dict[str, str | bytes] = {
    "chart/Chart.yaml": "apiVersion: v2\nname: c\n",
    "chart/values.yaml": "image: x\n",
    "chart/templates/pod.yaml": "{{- if .Values.x }}\n",
    "chart/charts/sub/Chart.yaml": "apiVersion: v2\nname: sub\n",
    "chart/charts/sub/templates/a.yaml": "{{",
    "chart/crds/crd.yaml": POD,
}


def test_a_chart_without_helm_is_one_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, CHART)
    monkeypatch.setenv("PATH", str(tmp_path))
    snapshot = read(tmp_path)
    assert names(snapshot) == [("chart/crds/crd.yaml", "Pod")]
    assert (only_gap(snapshot).where, only_gap(snapshot).code) == ("chart", "helm-missing")


def test_a_chart_is_rendered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "tree", CHART)
    program(tmp_path / "bin", "helm", f"printf '# Source: c/templates/pod.yaml\\n{POD}' | /bin/sed 's/x/x/'")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    snapshot = read(tmp_path / "tree")
    assert ("helm:chart", "Pod") in names(snapshot)
    assert not snapshot.gaps
    text = next(resource.text for resource in snapshot.resources if resource.ref.origin == "helm:chart")
    assert text is not None
    assert text.generated == "helm"
    assert b"# Source: c/templates/pod.yaml" in text.data


@pytest.mark.parametrize(
    ("script", "limits", "code"),
    [
        ("echo broken >&2; exit 1", Limits(), "B200"),
        ("while :; do echo 'a: 1234567890'; done", Limits(render_size=1000), "B210"),
        ("exec /bin/sleep 60", Limits(render_seconds=0.3), "B210"),
        ("echo '[: {'", Limits(), "B220"),
    ],
)
def test_a_renderer_that_misbehaves_is_a_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, limits: Limits, code: str
) -> None:
    put(tmp_path / "tree", CHART)
    program(tmp_path / "bin", "helm", script)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert only_gap(read(tmp_path / "tree", limits=limits)).code == code


OVERLAY: dict[str, str | bytes] = {
    "base/kustomization.yaml": "resources: [pod.yaml]\n",
    "base/pod.yaml": POD,
    "over/kustomization.yaml": "resources: [../base]\npatches: [{path: patch.yaml}]\nnamePrefix: x-\n",
    "over/patch.yaml": POD + "spec: {hostPID: true}\n",
}


def test_an_overlay_is_rendered_beside_its_base(tmp_path: Path) -> None:
    if not any(Path(folder, "kubectl").exists() for folder in os.environ["PATH"].split(":")):
        pytest.skip("kubectl is not on PATH")
    put(tmp_path, OVERLAY)
    snapshot = read(tmp_path)
    assert not snapshot.gaps
    assert names(snapshot) == [("base/pod.yaml", "Pod"), ("kustomize:over", "Pod")]
    rendered = snapshot.resources[1]
    assert (rendered.ref.name, rendered.data["spec"]) == ("x-p", {"hostPID": True})
    assert rendered.text is not None
    assert rendered.text.generated == "kustomize"
    assert snapshot.notes == ("over: overlay rendered beside its plain files",)


def test_overlays_that_are_not_rendered(tmp_path: Path) -> None:
    put(tmp_path, OVERLAY)
    plain = read(tmp_path, kustomize=Renderer.OFF)
    assert only_gap(plain).code == "kustomize-missing"
    assert names(plain) == [("base/pod.yaml", "Pod"), ("over/patch.yaml", "Pod")]
    put(tmp_path, {"base/kustomization.yaml": "resources: ['https://example.org/x?ref=v1']\n"})
    assert only_gap(read(tmp_path)).code == "kustomize-remote"
    put(tmp_path, {"base/kustomization.yaml": "resources: [../../etc/hosts]\n"})
    assert only_gap(read(tmp_path)).code in ("B200", "kustomize-missing")


def test_a_dockerfile_knows_whether_its_context_is_bounded(tmp_path: Path) -> None:
    put(
        tmp_path,
        {"a/Dockerfile": "FROM x:1\nCOPY . .\n", "b/Dockerfile": "FROM x:1\nCOPY . .\n", "b/.dockerignore": ".git\n"},
    )
    found = {resource.ref.origin: resource.data["context"]["dockerignore"] for resource in read(tmp_path).resources}
    assert found == {"a/Dockerfile": False, "b/Dockerfile": True}
