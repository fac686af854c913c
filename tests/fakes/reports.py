"""Reports to render: a small realistic one, a hostile one, and one of any size."""

from __future__ import annotations

from bulkhead.core.control import Control, MitigationClass, Needs
from bulkhead.core.finding import Finding, Waiver, Where, fingerprint
from bulkhead.core.outcome import Outcome, Severity
from bulkhead.core.resource import Gap, Ref
from bulkhead.report.model import FileChange, Fix, Report, TrendPoint
from bulkhead.report.order import worst_first
from bulkhead.report.score import score
from bulkhead.report.text import clean


def control(control_id: str, severity: Severity, *practices: str, **more: tuple[str, ...]) -> Control:
    return Control(
        id=control_id,
        revision=2,
        title=f"The good condition of {control_id.rpartition('.')[2]}",
        severity=severity,
        status="active",
        mode=MitigationClass.AUTO,
        applies_to=("container",),
        needs=Needs(),
        rationale="A process that is root in the container is one kernel bug from root on the node.",
        attack="The attacker writes to a mounted host path.",
        fix="Set runAsNonRoot to true.",
        maps_to=more or {"cis-kubernetes-1.12": ("5.2.6",)},
        practices=practices,
        aliases=("CKV_K8S_20", "KSV-0001"),
        references=("https://kubernetes.io/docs/concepts/security/pod-security-standards/",),
    )


def finding(
    control_id: str = "workload.non-root",
    *,
    outcome: Outcome = Outcome.FAIL,
    severity: Severity = Severity.HIGH,
    name: str = "web",
    namespace: str = "shop",
    file: str = "deploy/web.yaml",
    line: int = 12,
    message: str = "container web runs as root",
    evidence: str = "runAsNonRoot is not set",
    element: str = "spec.template.spec.containers[web]",
    waiver: Waiver | None = None,
    tenant: str = "default",
    kind: str = "Deployment",
) -> Finding:
    ref = Ref(source="file", kind=kind, group="apps", namespace=namespace, name=name, origin=file)
    # A name with a lone surrogate has no UTF-8 form to take a digest of.
    named = Ref(source="file", kind=clean(kind), group="apps", namespace=clean(namespace), name=clean(name))
    return Finding(
        fingerprint=fingerprint(tenant, control_id, named, clean(element)),
        tenant=tenant,
        control=control_id,
        revision=2,
        outcome=outcome,
        severity=severity,
        title=f"The good condition of {control_id.rpartition('.')[2]}",
        message=message,
        resource=ref,
        element=element,
        where=Where(file=file, line=line, column=9 if line else 0, end_line=line, path=element),
        evidence=evidence,
        waiver=waiver,
    )


def small() -> Report:
    """Every outcome, a waiver, gaps, a fix with a diff, a trend."""
    controls = {
        item.id: item
        for item in (
            control(
                "workload.non-root",
                Severity.HIGH,
                "D2",
                "K7",
                **{"cis-kubernetes-1.12": ("5.2.7",), "mitre": ("T1611",)},
            ),
            control("network.default-deny", Severity.MEDIUM, "K4"),
            control("rbac.no-wildcards", Severity.CRITICAL, "K1"),
            control("version.supported", Severity.LOW, "K3"),
            control("admission.audit", Severity.MEDIUM, "K5"),
        )
    }
    first = finding()
    findings = (
        finding("version.supported", outcome=Outcome.WARN, severity=Severity.LOW, name="old", line=0),
        first,
        finding(
            "rbac.no-wildcards", severity=Severity.CRITICAL, namespace="", name="ops", kind="ClusterRole", element=""
        ),
        finding("network.default-deny", outcome=Outcome.ERROR, severity=Severity.MEDIUM, name="shop", kind="Namespace"),
        finding("admission.audit", outcome=Outcome.MANUAL, severity=Severity.MEDIUM, name="api", element=""),
        finding(
            name="legacy",
            waiver=Waiver(reason="goes away in March", owner="ada", expires="2027-03-31", origin="exceptions.yaml"),
        ),
    )
    tallies = {
        "workload.non-root": {"pass": 6, "fail": 2},
        "network.default-deny": {"pass": 1, "error": 1},
        "rbac.no-wildcards": {"pass": 3, "fail": 1},
        "version.supported": {"warn": 1},
        "admission.audit": {"manual": 1},
    }
    diff = (
        "--- a/deploy/web.yaml\n+++ b/deploy/web.yaml\n@@ -11,3 +11,5 @@\n       - name: web\n"
        "         image: shop/web:1.4  # keep\n+        securityContext:\n+          runAsNonRoot: true\n"
    )
    change = FileChange(
        path="deploy/web.yaml",
        start_line=13,
        start_column=1,
        end_line=13,
        end_column=1,
        start_byte=240,
        end_byte=240,
        inserted_text="        securityContext:\n          runAsNonRoot: true\n",
    )
    return Report(
        tool_version="0.1.0",
        tenant="default",
        root="/srv/shop",
        started="2026-11-23T14:00:00+00:00",
        finished="2026-11-23T14:00:01.500000+00:00",
        profile="default",
        findings=tuple(worst_first(findings)),
        gaps=(
            Gap(
                where="charts/cart", code="helm-missing", reason="the chart could not be rendered", hint="install helm"
            ),
            Gap(where="broken.yaml", code="B220", reason="a tab where indentation is expected", line=3),
        ),
        notes=("2 files were larger than usual",),
        tallies=tallies,
        resources=14,
        controls=controls,
        fixes={first.fingerprint: (Fix(description="run as a non-root user", diff=diff, changes=(change,)),)},
        trend=(
            TrendPoint(date="2026-11-21", score=55.5, open={"critical": 2, "high": 4}),
            TrendPoint(date="2026-11-22", score=61.0, open={"critical": 1, "high": 2}),
        ),
        score=score(tallies, {name: item.severity for name, item in controls.items()}, gaps=2),
    )


def large(size: int) -> Report:
    """As many findings as asked for, over a hundred controls and fifty namespaces."""
    controls = {f"bench.c{at}": control(f"bench.c{at}", list(Severity)[at % 5], "K1") for at in range(100)}
    findings = tuple(
        finding(
            f"bench.c{at % 100}",
            severity=list(Severity)[at % 5],
            name=f"app-{at}",
            namespace=f"ns-{at % 50}",
            file=f"deploy/{at // 10}.yaml",
        )
        for at in range(size)
    )
    return Report(
        tool_version="0.1.0",
        tenant="default",
        root="/srv/bench",
        started="2026-11-23T14:00:00+00:00",
        finished="2026-11-23T14:00:01+00:00",
        profile="default",
        findings=tuple(worst_first(findings)),
        tallies={name: {"fail": size // 100} for name in controls},
        resources=size,
        controls=controls,
    )
