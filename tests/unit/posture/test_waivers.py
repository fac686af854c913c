"""Suppressions of every tool are honoured, shown, and end when they say so."""

from __future__ import annotations

import pytest

from bulkhead.core.errors import SettingsError
from bulkhead.core.finding import Finding
from bulkhead.core.outcome import Outcome
from bulkhead.core.resource import Snapshot
from bulkhead.formats import recognise
from bulkhead.posture import waivers
from bulkhead.posture.evaluate import Request, evaluate
from tests.catalogue_check import catalogue

POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: p
  namespace: shop
{meta}spec:
  containers:
    - name: app
      image: a
      securityContext:
        privileged: true
    - name: side
      image: a
      securityContext:
        privileged: true
"""


def judged(
    files: dict[str, str],
    name: str = "container.privileged",
    own: dict[str, bytes] | None = None,
    today: str = "2026-06-01",
) -> list[Finding]:
    snapshot = Snapshot()
    for path, text in files.items():
        snapshot = snapshot.merged(recognise.recognise(path, text.encode()))
    assessment = evaluate(snapshot, Request(catalogue(), catalogue().named(name)))
    found = waivers.apply(assessment, snapshot, catalogue(), own=own or {}, today=today).findings
    return [finding for finding in found if finding.outcome in (Outcome.FAIL, Outcome.WARN)]


@pytest.mark.parametrize(
    "meta",
    [
        "  annotations: {checkov.io/skip1: CKV_K8S_16=needed by the driver}\n",
        "  annotations: {ignore-check.kube-linter.io/privileged-container: needed by the driver}\n",
        "  annotations: {kube-linter.io/ignore-all: needed by the driver}\n",
        '  annotations: {polaris.fairwinds.com/runAsPrivileged-exempt: "true"}\n',
        '  annotations: {polaris.fairwinds.com/exempt: "true"}\n',
        "  annotations: {kube-score/ignore: container-security-context-privileged}\n",
        "  labels: {kubeaudit.io/allow-privileged: needed}\n",
        "  annotations: {bulkhead.dev/ignore: 'container.privileged: needed by the driver'}\n",
    ],
)
def test_an_annotation_covers_the_resource(meta: str) -> None:
    found = judged({"p.yaml": POD.format(meta=meta)})
    assert len(found) == 2, "covered findings are still there"
    assert all(finding.waiver is not None for finding in found)


def test_a_label_for_one_container_covers_that_one() -> None:
    found = judged({"p.yaml": POD.format(meta="  labels: {container.kubeaudit.io/app.allow-privileged: needed}\n")})
    assert {finding.element.rpartition("[")[2]: finding.waiver is not None for finding in found} == {
        "app]": True,
        "side]": False,
    }


@pytest.mark.parametrize(
    "comment",
    [
        "# checkov:skip=CKV_K8S_16:because",
        "# trivy:ignore:KSV-0017",
        "# trivy:ignore:AVD-KSV-0017",
        "# bulkhead:ignore container.privileged owner=me: because",
    ],
)
def test_a_comment_covers_the_resource_it_stands_in_or_above(comment: str) -> None:
    above = judged({"p.yaml": comment + "\n" + POD.format(meta="")})
    assert all(finding.waiver is not None for finding in above)


def test_a_comment_of_another_control_covers_nothing() -> None:
    assert all(
        finding.waiver is None for finding in judged({"p.yaml": "# checkov:skip=CKV_K8S_20:x\n" + POD.format(meta="")})
    )


def test_an_expired_comment_covers_nothing() -> None:
    text = "# trivy:ignore:KSV-0017:exp:2026-05-31\n" + POD.format(meta="")
    assert all(finding.waiver is None for finding in judged({"p.yaml": text}, today="2026-06-01"))
    assert all(finding.waiver is not None for finding in judged({"p.yaml": text}, today="2026-05-31"))


def test_hadolint_ignores_one_line_or_the_file() -> None:
    text = "FROM a:1\n# hadolint ignore=DL3000\nWORKDIR app\nWORKDIR other\n"
    found = judged({"Dockerfile": text}, "DL3000")
    assert [finding.waiver is not None for finding in sorted(found, key=lambda item: item.where.line)] == [True, False]
    everywhere = judged({"Dockerfile": "# hadolint global ignore=DL3000\n" + text}, "DL3000")
    assert all(finding.waiver is not None for finding in everywhere)


OWN = b"""
exceptions:
  - {control: container.privileged, name: p, namespace: shop, reason: driver, owner: ops, expires: 2026-12-31}
"""


def test_our_own_file_covers_until_its_date() -> None:
    files = {"p.yaml": POD.format(meta="")}
    assert all(finding.waiver and finding.waiver.owner == "ops" for finding in judged(files, own={"e.yaml": OWN}))
    assert all(finding.waiver is None for finding in judged(files, own={"e.yaml": OWN}, today="2027-01-01"))
    assert all(
        finding.waiver is None for finding in judged(files, own={"e.yaml": OWN.replace(b"name: p,", b"name: q,")})
    )


@pytest.mark.parametrize(
    "text",
    [
        b"exceptions: [{control: a, reason: r, owner: o}]",
        b"exceptions: [{control: a, reason: '', owner: o, expires: 2026-12-31}]",
        b"exceptions: [{control: a, reason: r, owner: o, expires: soon}]",
        b"exceptions: [{control: a, reason: r, owner: o, expires: 2026-12-31, files: x}]",
        b"exceptions: [*x]",
        b"[" * 5000,
    ],
)
def test_an_exceptions_file_that_is_wrong_is_refused(text: bytes) -> None:
    with pytest.raises(SettingsError):
        judged({"p.yaml": POD.format(meta="")}, own={"e.yaml": text})


def test_trivy_and_kubescape_files_are_read() -> None:
    files = {"p.yaml": POD.format(meta="")}
    listed = judged(files, own={".trivyignore": b"# why\nKSV-0017 exp:2026-12-31\n"})
    assert all(finding.waiver is not None for finding in listed)
    policy = b'[{"name": "n", "posturePolicies": [{"controlID": "C-0057"}], "resources": [{"attributes": {"kind": "Pod", "name": "p"}}]}]'
    assert all(finding.waiver is not None for finding in judged(files, own={"x.json": policy}))


EXCEPTION = """\
apiVersion: kubescape.io/v1beta1
kind: {kind}
metadata: {{name: agreed{namespace}}}
spec:
  reason: needed by the driver
  posture: [{{controlID: C-0057{more}}}]
  {spec}
"""


def covered(kind: str = "SecurityException", namespace: str = "shop", more: str = "", spec: str = "") -> list[bool]:
    """Whether each finding of the pod is covered."""
    text = EXCEPTION.format(kind=kind, namespace=f", namespace: {namespace}" if namespace else "", more=more, spec=spec)
    space = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {env: test}}\n"
    pod = POD.format(meta="  labels: {app: driver}\n")
    found = judged({"pod.yaml": pod, "exception.yaml": text, "namespace.yaml": space}, "C-0057")
    assert found
    assert {finding.waiver.reason for finding in found if finding.waiver} <= {"needed by the driver"}
    return [finding.waiver is not None for finding in found]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"more": ", action: ignore"},
        {"spec": "expiresAt: '2026-07-01T00:00:00Z'"},
        {"spec": "match: {resources: [{kind: Pod, name: p}]}"},
        {"spec": "match: {resources: [{kind: Job}, {name: p.*}]}"},
        {"spec": "match: {objectSelector: {matchLabels: {app: driver}}}"},
        {"kind": "ClusterSecurityException", "namespace": ""},
        {"kind": "ClusterSecurityException", "namespace": "", "spec": "match: {namespaceSelector: {matchLabels: {env: test}}}"},
    ],
)  # fmt: skip
def test_kubescape_objects_cover_what_they_say(given: dict[str, str]) -> None:
    assert all(covered(**given))


@pytest.mark.parametrize(
    "given",
    [
        {"namespace": "other"},
        {"namespace": ""},
        {"more": ", action: forget"},
        {"more": ", frameworkName: MITRE"},
        {"spec": "expiresAt: '2026-05-01T00:00:00Z'"},
        {"spec": "expiresAt: soon"},
        {"spec": "match: {resources: [{kind: Job}]}"},
        {"spec": "match: {resources: [{}]}"},
        {"spec": "match: []"},
        {"spec": "match: 0"},
        {"spec": "match: {resource: [{kind: Pod}]}"},
        {"spec": "match: {resources: [{kinds: Pod}]}"},
        {"spec": "match: {resources: [{kind: Pod, namespace: shop}]}"},
        {"spec": "match: {resources: {}}"},
        {"spec": "match: {resources: [{kind: Pod, name: 0}]}"},
        {"spec": "match: {resources: [{name: p*}]}"},
        {"spec": "match: {resources: [{name: '*'}]}"},
        {"spec": "match: {objectSelector: []}"},
        {"spec": "match: {objectSelector: {matchLabels: []}}"},
        {"spec": "match: {objectSelector: {matchExpressions: [{key: a, operator: Near}]}}"},
        {"spec": "match: {namespaceSelector: {matchLabels: {env: test}}}"},
        {"spec": "surprise: 1"},
        {"more": ", container: other"},
        {"spec": "expiresAt: '2026-06-01T00:00:01Z'"},
        {"spec": "expiresAt: '2999-99-99T99:99:99Z'"},
        {"spec": "expiresAt: '2999-01-01T00:00:00'"},
        {"spec": "match: {resources: [{kind: Pod}], objectSelector: {matchLabels: {app: web}}}"},
        {"kind": "ClusterSecurityException", "namespace": "", "spec": "match: {namespaceSelector: {matchLabels: {env: live}}}"},
    ],
)  # fmt: skip
def test_kubescape_objects_cover_no_more_than_they_say(given: dict[str, str]) -> None:
    assert not any(covered(**given))


def test_an_exception_of_the_cluster_ends_at_the_cluster() -> None:
    text = EXCEPTION.format(kind="ClusterSecurityException", namespace="", more="", spec="")
    compose = "services: {web: {image: a, privileged: true}}\n"
    found = judged({"pod.yaml": POD.format(meta=""), "compose.yaml": compose, "exception.yaml": text}, "C-0057")
    assert {finding.resource.kind: finding.waiver is not None for finding in found} == {"Pod": True, "Compose": False}


@pytest.mark.parametrize("control", ["'*'", "CKV_K8S_16", "container.privileged", "[C-0057]", "57"])
def test_an_exception_names_controls_of_kubescape_only(control: str) -> None:
    text = EXCEPTION.format(kind="SecurityException", namespace=", namespace: shop", more="", spec="")
    found = judged({"pod.yaml": POD.format(meta=""), "exception.yaml": text.replace("C-0057", control)}, "C-0057")
    assert not any(finding.waiver for finding in found)


@pytest.mark.parametrize("labels", ["var.l", "{ env = var.v }", '{ env = "prod" }'])
def test_labels_that_are_not_known_are_not_picked(labels: str) -> None:
    text = EXCEPTION.format(
        kind="SecurityException", namespace=", namespace: shop", more="",
        spec="match: {objectSelector: {matchExpressions: [{key: env, operator: NotIn, values: [prod]}]}}",
    )  # fmt: skip
    pod = (
        f'resource "kubernetes_pod" "p" {{\n metadata {{\n  name = "p"\n  namespace = "shop"\n  labels = {labels}\n }}\n spec {{\n'
        '  container {\n   name = "a"\n   image = "a"\n   security_context {\n    privileged = true\n   }\n  }\n }\n}\n'
    )
    found = judged({"main.tf": pod, "exception.yaml": text}, "C-0057")
    assert found
    assert not any(finding.waiver for finding in found)
