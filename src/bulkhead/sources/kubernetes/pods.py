"""Pods, ReplicaSets and Jobs that a controller made: told once, at the controller, where they are what its template says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from bulkhead.core.resource import Resource
from bulkhead.core.shapes import WRONG_SHAPE

_POD: Final = (
    "hostNetwork", "hostPID", "hostIPC", "hostUsers", "securityContext", "serviceAccountName", "automountServiceAccountToken", "runtimeClassName",
    "shareProcessNamespace", "ephemeralContainers", "imagePullSecrets",
)  # fmt: skip
_CONTAINER: Final = (
    "name", "image", "command", "args", "securityContext", "ports", "env", "envFrom", "livenessProbe", "readinessProbe", "startupProbe",
    "lifecycle", "imagePullPolicy", "stdin", "tty",
)  # fmt: skip
_TOKEN = "kube-api-access-"  # noqa: S105 (the start of a volume's name)
_LIMITED = "kubernetes.io/limit-ranger"
_DONE = frozenset({"Succeeded", "Failed"})
_DEPTH = 4


def told_once(resources: Iterable[Resource]) -> tuple[list[Resource], dict[str, int]]:
    """What remains, and how many were left out, by reason."""
    listed = list(resources)
    by_name = {(item.ref.kind, item.ref.namespace, item.ref.name): item for item in listed}
    kept: list[Resource] = []
    left: dict[str, int] = {}
    for item in listed:
        try:
            reason = _reason(item, by_name)
        except WRONG_SHAPE:
            reason = ""  # What has not the shape of its kind is judged, and the judge says so.
        if reason:
            left[reason] = left.get(reason, 0) + 1
        else:
            kept.append(item)
    return kept, left


def _reason(item: Resource, by_name: Mapping[tuple[str, str, str], Resource]) -> str:
    kind, data = item.ref.kind, item.data
    if kind == "Pod" and (data.get("status") or {}).get("phase") in _DONE:
        return "pods that have ended"
    if kind not in ("Pod", "ReplicaSet", "Job", "ReplicationController"):
        return ""
    maker = _maker(item, by_name)
    if maker is None:
        return ""
    if kind in ("ReplicaSet", "ReplicationController"):
        return "replica sets of deployments"
    template = _template(maker.data)
    own = data["spec"] if kind == "Pod" else data["spec"]["template"]["spec"]
    limited = _LIMITED in (data["metadata"].get("annotations") or {})
    if template is None:
        return ""
    if not template.get("imagePullSecrets"):
        # The ServiceAccount's are put in where a pod names none; OpenShift's accounts all have one.
        own = {name: value for name, value in own.items() if name != "imagePullSecrets"}
    claimed = _with_claims(template, maker.data, item.ref.name)
    if decided(own, limited=limited) != decided(claimed, limited=limited):
        return ""
    return "pods and jobs that are what their controllers say"


def _maker(item: Resource, by_name: Mapping[tuple[str, str, str], Resource]) -> Resource | None:
    """The object at the end of the chain of controllers, where it was read."""
    found: Resource | None = None
    for _ in range(_DEPTH):
        owners = (found or item).data["metadata"].get("ownerReferences") or ()
        owner = next((entry for entry in owners if entry.get("controller") is True), None)
        above = by_name.get((str(owner["kind"]), item.ref.namespace, str(owner["name"]))) if owner is not None else None
        if above is None:
            return found
        found = above
    return found


def _template(data: Mapping[str, Any]) -> Any:
    spec = data.get("spec") or {}
    if data.get("kind") == "CronJob":
        spec = (spec.get("jobTemplate") or {}).get("spec") or {}
    return (spec.get("template") or {}).get("spec")


def _with_claims(template: Mapping[str, Any], maker: Mapping[str, Any], pod: str) -> Mapping[str, Any]:
    """A StatefulSet gives each pod volumes of its own, in place of the template's of the same name (statefulset, updateStorage)."""
    claims = (maker.get("spec") or {}).get("volumeClaimTemplates") if maker.get("kind") == "StatefulSet" else None
    if not claims:
        return template
    names = [str(claim["metadata"]["name"]) for claim in claims]
    made = [{"name": name, "persistentVolumeClaim": {"claimName": f"{name}-{pod}"}} for name in names]
    return {
        **template,
        "volumes": [*made, *(item for item in template.get("volumes") or () if item.get("name") not in names)],
    }


def decided(spec: Mapping[str, Any], *, limited: bool) -> dict[str, Any]:
    """What somebody decided of a pod, without what admission adds to every pod.

    ``limited``: a LimitRange wrote resources into it that the template leaves open.
    """
    out = {name: spec[name] for name in _POD if spec.get(name) not in (None, {}, [])}
    out.setdefault("serviceAccountName", "default")
    for field in ("containers", "initContainers"):
        out[field] = [_container(item, limited=limited) for item in spec.get(field) or ()]
    volumes = [item for item in spec.get("volumes") or () if not str(item.get("name")).startswith(_TOKEN)]
    out["volumes"] = sorted(volumes, key=lambda item: str(item.get("name")))
    return out


def _container(data: Mapping[str, Any], *, limited: bool) -> dict[str, Any]:
    out = {name: data[name] for name in _CONTAINER if data.get(name) not in (None, {}, [])}
    if not limited:
        resources = data.get("resources") or {}
        # A pod asks for what it is limited to where it says nothing else (core/v1, SetDefaults_Pod); a template is left as it is.
        asked = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
        out["resources"] = {**resources, "requests": asked} if asked else resources
    out["volumeMounts"] = [
        item for item in data.get("volumeMounts") or () if not str(item.get("name")).startswith(_TOKEN)
    ]
    return out
