"""What the double does not take: bodies that are no object of the kind, unknown fields, what must not change.

Values are not validated one by one, but where a repair of ours could go wrong; the rest is what a real server is for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.fakes.kube.kinds import Kind
from tests.fakes.kube.status import Refused, bad_option, invalid

Object = dict[str, Any]

MEDIA = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
PATCHES = (
    "application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)  # fmt: skip
_OBJECT = {"apiVersion", "kind", "metadata"}
# Fields of kinds that are not spec and status.
_FIELDS: dict[str, set[str]] = {
    "ConfigMap": {"data", "binaryData", "immutable"}, "Secret": {"data", "stringData", "type", "immutable"},
    "ServiceAccount": {"secrets", "imagePullSecrets", "automountServiceAccountToken"}, "Role": {"rules"},
    "ClusterRole": {"rules", "aggregationRule"}, "RoleBinding": {"roleRef", "subjects"}, "ClusterRoleBinding": {"roleRef", "subjects"},
    "ValidatingWebhookConfiguration": {"webhooks"}, "MutatingWebhookConfiguration": {"webhooks"},
    "StorageClass": {"provisioner", "parameters", "reclaimPolicy", "mountOptions", "allowVolumeExpansion", "volumeBindingMode", "allowedTopologies"},
}  # fmt: skip
_POD = {
    "activeDeadlineSeconds", "affinity", "automountServiceAccountToken", "containers", "dnsConfig", "dnsPolicy", "enableServiceLinks",
    "ephemeralContainers", "hostAliases", "hostIPC", "hostNetwork", "hostPID", "hostUsers", "hostname", "hostnameOverride",
    "imagePullSecrets", "initContainers", "nodeName", "nodeSelector", "os", "overhead", "preemptionPolicy", "priority",
    "priorityClassName", "readinessGates", "resourceClaims", "resources", "restartPolicy", "runtimeClassName", "schedulerName",
    "schedulingGates", "securityContext", "serviceAccount", "serviceAccountName", "setHostnameAsFQDN", "shareProcessNamespace",
    "subdomain", "terminationGracePeriodSeconds", "tolerations", "topologySpreadConstraints", "volumes", "workloadRef",
}  # fmt: skip
_CONTAINER = {
    "args", "command", "env", "envFrom", "image", "imagePullPolicy", "lifecycle", "livenessProbe", "name", "ports", "readinessProbe",
    "resizePolicy", "resources", "restartPolicy", "restartPolicyRules", "securityContext", "startupProbe", "stdin", "stdinOnce",
    "targetContainerName", "terminationMessagePath", "terminationMessagePolicy", "tty", "volumeDevices", "volumeMounts", "workingDir",
}  # fmt: skip
_CONTEXT = {
    "allowPrivilegeEscalation", "appArmorProfile", "capabilities", "privileged", "procMount", "readOnlyRootFilesystem", "runAsGroup",
    "runAsNonRoot", "runAsUser", "seLinuxOptions", "seccompProfile", "windowsOptions",
}  # fmt: skip
_POD_CONTEXT = {
    "appArmorProfile", "fsGroup", "fsGroupChangePolicy", "runAsGroup", "runAsNonRoot", "runAsUser", "seLinuxChangePolicy",
    "seLinuxOptions", "seccompProfile", "supplementalGroups", "supplementalGroupsPolicy", "sysctls", "windowsOptions",
}  # fmt: skip
_POD_CHANGES = (
    "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` "
    "(allow it to be set to 1 if it was previously negative)\n"
)


def options(method: str, query: dict[str, str], content: str) -> None:
    """The query of a write. Raises Refused."""
    kind = {"POST": "CreateOptions", "PUT": "UpdateOptions", "PATCH": "PatchOptions", "DELETE": "DeleteOptions"}[method]
    dry = query.get("dryRun", "All")
    if dry != "All":
        said = f'Unsupported value: ["{dry}"]: supported values: "All"'
        raise bad_option(kind, "dryRun", "FieldValueNotSupported", said)
    if "apply-patch" in content and not query.get("fieldManager"):
        raise bad_option(kind, "fieldManager", "FieldValueRequired", "Required value: is required for apply patch")


def decoded(method: str, kind: Kind, content: str, body: bytes) -> Any:
    """The body of a write. Raises Refused."""
    accepted = PATCHES if method == "PATCH" else MEDIA
    plain = content.partition(";")[0].strip() or (MEDIA[0] if method != "PATCH" else "")
    if plain not in accepted:
        told = ", ".join(accepted)
        raise Refused(415, f"the body of the request was in an unknown format - accepted media types include: {told}")
    try:
        return json.loads(body or b"{}")
    except ValueError:
        said = f"couldn't get version/kind; json parse error: unexpected end of JSON input ({body.decode()})"
        raise Refused(400, f"the object provided is unrecognized (must be of type {kind[2]}): {said}") from None


def identity(kind: Kind, namespace: str, name: str, body: Object) -> None:
    """Whether the object is of the kind and the place that the path says. Raises Refused."""
    group, slash, version = str(body.get("apiVersion", "")).rpartition("/")
    if (group if slash else "", version, body.get("kind")) != kind[:3]:
        told, wanted = body.get("kind"), kind[2]
        said = f"converting (v1.{told}) to (core.{wanted}): unknown conversion"
        raise Refused(400, f'{told} in version "{version}" cannot be handled as a {wanted}: {said}')
    metadata = body.get("metadata") or {}
    if metadata.get("namespace", namespace) != namespace:
        raise Refused(400, "the namespace of the provided object does not match the namespace sent on the request")
    if name and metadata.get("name", name) != name:
        said = f"the name of the object ({metadata['name']}) does not match the name on the URL ({name})"
        raise Refused(400, said)


def strict(kind: Kind, body: Object, mode: str, *, patched: bool) -> list[str]:
    """Takes unknown fields out, as far as fields are known here, and warns of them. Raises Refused where they are not allowed."""
    unknown = list(_unknown(kind[2], body))
    told = [f'unknown field "{dotted}"' for dotted, _, _ in unknown]
    if unknown and mode == "Strict":
        said = f"strict decoding error: {', '.join(told)}"
        if patched:
            value = f'Invalid value: "{json.dumps(body)}": {said}'
            causes = [{"reason": "FieldValueInvalid", "message": value, "field": "patch"}]
            raise Refused(422, f' "" is invalid: patch: {value}', {"causes": causes})
        raise Refused(400, f'{kind[2]} in version "{kind[1]}" cannot be handled as a {kind[2]}: {said}')
    for _, parent, name in unknown:
        del parent[name]
    return told if mode == "Warn" else []


def _unknown(kind: str, body: Object) -> Iterator[tuple[str, Object, str]]:
    """The path of each unknown field, with the mapping that holds it and its name there."""
    if kind not in _FIELDS and "spec" not in body:
        return
    yield from _beyond("", body, _OBJECT | _FIELDS.get(kind, {"spec", "status"}))
    path, spec = "spec.", body.get("spec")
    steps = () if kind == "Pod" else (("jobTemplate", "spec") if kind == "CronJob" else ()) + ("template", "spec")
    for step in steps:
        path, spec = f"{path}{step}.", spec.get(step) if isinstance(spec, dict) else None
    if not isinstance(spec, dict) or "containers" not in spec:
        return
    yield from _beyond(path, spec, _POD)
    yield from _beyond(f"{path}securityContext.", spec.get("securityContext"), _POD_CONTEXT)
    for group in ("containers", "initContainers"):
        for index, item in enumerate(spec.get(group) or ()):
            here = f"{path}{group}[{index}]."
            yield from _beyond(here, item, _CONTAINER)
            yield from _beyond(f"{here}securityContext.", item.get("securityContext"), _CONTEXT)


def _beyond(path: str, data: Any, known: set[str]) -> Iterator[tuple[str, Object, str]]:
    for name in data if isinstance(data, dict) else ():
        if name not in known:
            yield f"{path}{name}", data, name


def impossible(kind: Kind, name: str, made: Object) -> None:
    """Settings of a container that contradict each other (core validation, ValidateSecurityContext). Raises Refused."""
    path, spec = "spec", made.get("spec")
    if kind[2] != "Pod":
        path, spec = "spec.template.spec", ((spec or {}).get("template") or {}).get("spec")
    for group in ("initContainers", "containers"):
        for index, item in enumerate((spec or {}).get(group) or ()):
            context = item.get("securityContext") or {}
            shared = [
                mount for mount in item.get("volumeMounts") or () if mount.get("mountPropagation") == "Bidirectional"
            ]
            if shared and context.get("privileged") is not True:
                said = "Forbidden: Bidirectional mount propagation is available only to privileged containers"
                field = f"{path}.{group}[{index}].volumeMounts.mountPropagation"
                raise invalid(kind, name, field, "FieldValueForbidden", said)
            if context.get("allowPrivilegeEscalation") is not False:
                continue
            told = json.dumps(context, separators=(",", ":"))
            other = "`privileged` to true" if context.get("privileged") is True else ""
            if "CAP_SYS_ADMIN" in ((context.get("capabilities") or {}).get("add") or ()):
                other = "`capabilities.Add` CAP_SYS_ADMIN"
            if other:
                said = f"Invalid value: {told}: cannot set `allowPrivilegeEscalation` to false and {other}"
                raise invalid(kind, name, f"{path}.{group}[{index}].securityContext", "FieldValueInvalid", said)


def unchangeable(kind: Kind, name: str, old: Object, made: Object) -> None:
    """What may not change once it is there. Raises Refused."""
    if old.get("immutable") is True and (old.get("data"), old.get("binaryData")) != (
        made.get("data"),
        made.get("binaryData"),
    ):
        raise invalid(
            kind, name, "data", "FieldValueForbidden", "Forbidden: field is immutable when `immutable` is set"
        )
    before, after = old.get("spec") or {}, made.get("spec") or {}
    if kind[2] == "Pod" and _fixed(before) != _fixed(after):
        raise invalid(kind, name, "spec", "FieldValueForbidden", _POD_CHANGES)
    if kind[2] in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet") and before.get("selector") != after.get(
        "selector"
    ):
        told = json.dumps(after.get("selector"), separators=(",", ":"))
        raise invalid(kind, name, "spec.selector", "FieldValueInvalid", f"Invalid value: {told}: field is immutable")
    if kind[2] == "Job" and before.get("template") != after.get("template"):
        raise invalid(kind, name, "spec.template", "FieldValueInvalid", "Invalid value: {}: field is immutable")
    if old.get("roleRef") != made.get("roleRef"):
        raise invalid(kind, name, "roleRef", "FieldValueInvalid", "Invalid value: {}: cannot change roleRef")


def _fixed(spec: Object) -> Object:
    """A pod's spec without what may change."""
    free = (
        "activeDeadlineSeconds",
        "tolerations",
        "terminationGracePeriodSeconds",
        "containers",
        "initContainers",
        "ephemeralContainers",
    )
    out = {name: value for name, value in spec.items() if name not in free}
    for group in ("containers", "initContainers"):
        out[group] = [
            {name: value for name, value in item.items() if name != "image"} for item in spec.get(group) or ()
        ]
    return out
