"""What the API server writes into objects that leave it open (pkg/apis/*/v1/defaults.go), as far as pods, workloads and policies go."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]


def defaulted(data: Object) -> Object:
    """The object with the defaults in it; it is changed in place."""
    kind, spec = data.get("kind"), data.get("spec")
    if not isinstance(spec, dict):
        return data
    if kind == "Pod":
        spec.setdefault("enableServiceLinks", True)
        for item in [*spec.get("containers", ()), *spec.get("initContainers", ())]:
            limits = item.get("resources", {}).get("limits")
            if limits:
                item["resources"]["requests"] = {**limits, **item["resources"].get("requests", {})}
        _pod(spec)
    elif kind == "CronJob":
        _pod(spec.get("jobTemplate", {}).get("spec", {}).get("template", {}).get("spec"))
    elif kind == "NetworkPolicy":
        spec.setdefault("podSelector", {})
        spec.setdefault("policyTypes", ["Ingress", *(["Egress"] if spec.get("egress") else [])])
        for rule in [*(spec.get("ingress") or ()), *(spec.get("egress") or ())]:
            for port in rule.get("ports") or ():
                port.setdefault("protocol", "TCP")
    elif isinstance(spec.get("template"), dict):
        _pod(spec["template"].get("spec"))
    if kind == "Deployment":
        spec.setdefault("replicas", 1)
        spec.setdefault(
            "strategy", {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}}
        )
        spec.setdefault("revisionHistoryLimit", 10)
        spec.setdefault("progressDeadlineSeconds", 600)
    return data


def _pod(spec: Any) -> None:
    if not isinstance(spec, dict):
        return
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("securityContext", {})
    spec.setdefault("schedulerName", "default-scheduler")
    if spec.get("serviceAccountName"):
        spec["serviceAccount"] = spec["serviceAccountName"]
    for item in [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]:
        _container(item)


def _container(item: Object) -> None:
    item.setdefault("resources", {})
    item.setdefault("terminationMessagePath", "/dev/termination-log")
    item.setdefault("terminationMessagePolicy", "File")
    image = str(item.get("image", ""))
    latest = "@" not in image and (":" not in image.rpartition("/")[2] or image.endswith(":latest"))
    item.setdefault("imagePullPolicy", "Always" if latest else "IfNotPresent")
    for port in item.get("ports") or ():
        port.setdefault("protocol", "TCP")
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe = item.get(name)
        if isinstance(probe, dict):
            for field, value in (
                ("timeoutSeconds", 1),
                ("periodSeconds", 10),
                ("successThreshold", 1),
                ("failureThreshold", 3),
            ):
                probe.setdefault(field, value)
            if isinstance(probe.get("httpGet"), dict):
                probe["httpGet"].setdefault("scheme", "HTTP")
