"""A small cluster of known truth: what is well made, and what is not."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]
GOOD_CONTAINER: Object = {
    "name": "app", "image": "registry.example/app@sha256:" + "0" * 64, "imagePullPolicy": "Always",
    "resources": {"limits": {"memory": "64Mi", "cpu": "100m", "ephemeral-storage": "64Mi"}, "requests": {"memory": "64Mi", "cpu": "50m", "ephemeral-storage": "64Mi"}},
    "securityContext": {
        "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "privileged": False, "readOnlyRootFilesystem": True,
        "runAsNonRoot": True, "runAsUser": 20000, "runAsGroup": 20000, "seccompProfile": {"type": "RuntimeDefault"},
    },
    "livenessProbe": {"httpGet": {"path": "/live", "port": 8080}}, "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}},
    "ports": [{"containerPort": 8080}],
}  # fmt: skip


def meta(name: str, namespace: str = "shop", **more: Any) -> Object:
    return {"name": name, **({"namespace": namespace} if namespace else {}), **more}


def deployment(
    name: str, namespace: str = "shop", *, container: Object | None = None, pod: Object | None = None, **metadata: Any
) -> Object:
    labels = {"app": name}
    spec = {
        "automountServiceAccountToken": False,
        "serviceAccountName": name,
        "containers": [{**GOOD_CONTAINER, **(container or {})}],
        **(pod or {}),
    }
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta(name, namespace, labels=labels, **metadata),
        "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": spec}},
        "status": {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2},
    }  # fmt: skip


def made_by(kind: str, name: str) -> list[Object]:
    return [{"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": "u", "controller": True}]


def pod_of(maker: Object, **spec: Any) -> list[Object]:
    """The ReplicaSet and a Pod as the API server would store them for a deployment."""
    name, namespace = maker["metadata"]["name"], maker["metadata"]["namespace"]
    template = maker["spec"]["template"]
    mount = {
        "name": "kube-api-access-x",
        "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
        "readOnly": True,
    }
    containers = [{**item, "volumeMounts": [mount]} for item in template["spec"]["containers"]]
    made = {
        **template["spec"],
        "containers": containers,
        "volumes": [{"name": "kube-api-access-x", "projected": {}}],
        "nodeName": "n1",
        "tolerations": [],
        **spec,
    }
    replica = {
        "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": meta(f"{name}-rs", namespace, ownerReferences=made_by("Deployment", name)),
        "spec": {"replicas": 2, "template": template},
    }  # fmt: skip
    pod = {
        "apiVersion": "v1", "kind": "Pod", "metadata": meta(f"{name}-1", namespace, labels=template["metadata"]["labels"], ownerReferences=made_by("ReplicaSet", f"{name}-rs")),
        "spec": made, "status": {"phase": "Running"},
    }  # fmt: skip
    return [replica, pod]


def node(name: str, **labels: str) -> Object:
    return {
        "apiVersion": "v1", "kind": "Node", "metadata": meta(name, "", labels=labels), "spec": {},
        "status": {"nodeInfo": {"kubeletVersion": "v1.36.2", "osImage": "Debian GNU/Linux 12 (bookworm)", "kernelVersion": "6.12.0", "containerRuntimeVersion": "containerd://2.1.0"}},
    }  # fmt: skip


def apiserver() -> Object:
    command = ["kube-apiserver", "--anonymous-auth=false", "--profiling=true", "--authorization-mode=Node,RBAC"]
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": meta("kube-apiserver-n1", "kube-system"), "status": {"phase": "Running"},
        "spec": {"hostNetwork": True, "containers": [{"name": "kube-apiserver", "image": "registry.k8s.io/kube-apiserver:v1.36.2", "command": command}]},
    }  # fmt: skip


def namespace(name: str, level: str = "restricted") -> Object:
    labels = {f"pod-security.kubernetes.io/{mode}": level for mode in ("enforce", "warn", "audit")} if level else {}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": meta(name, "", labels=labels)}


def rules(*given: Object) -> list[Object]:
    return list(given)


def role(kind: str, name: str, namespace_: str, *given: Object) -> Object:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": meta(name, namespace_),
        "rules": rules(*given),
    }


def binding(kind: str, name: str, namespace_: str, role_kind: str, role_name: str, account: str) -> Object:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": meta(name, namespace_),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role_kind, "name": role_name},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": "shop"}],
    }  # fmt: skip


def town() -> list[Object]:
    good, bad = (
        deployment("good"),
        deployment("bad", container={"resources": {}, "securityContext": {"privileged": True}}),
    )
    injected = deployment("injected")
    sidecar = {"name": "sidecar", "image": "mesh:1", "securityContext": {"privileged": True}}
    pods = [
        *pod_of(good),
        *pod_of(bad),
        *pod_of(injected, containers=[*injected["spec"]["template"]["spec"]["containers"], sidecar]),
    ]
    ended = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta("done"),
        "spec": {"containers": [{"name": "c", "image": "x"}]},
        "status": {"phase": "Succeeded"},
    }
    accounts = [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta(name), "automountServiceAccountToken": False}
        for name in ("good", "bad", "injected")
    ]
    return [
        namespace("shop"), namespace("open", ""), namespace("kube-system", ""), namespace("default", ""), node("n1"), apiserver(),
        good, bad, injected, *pods, ended, *accounts,
        role("ClusterRole", "everything", "", {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}),
        role("Role", "reader", "shop", {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"], "resourceNames": ["one"]}),
        binding("ClusterRoleBinding", "bad-admin", "", "ClusterRole", "everything", "bad"),
        binding("RoleBinding", "good-reader", "shop", "Role", "reader", "good"),
        {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta("deny"), "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}},
        {"apiVersion": "v1", "kind": "Service", "metadata": meta("good"), "spec": {"selector": {"app": "good"}, "ports": [{"port": 80, "targetPort": 8080}]}},
        {"apiVersion": "v1", "kind": "Service", "metadata": meta("outside"), "spec": {"type": "ClusterIP", "externalIPs": ["203.0.113.7"], "selector": {"app": "bad"}, "ports": [{"port": 80}]}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": meta("db", creationTimestamp="2020-01-01T00:00:00Z"), "type": "Opaque", "data": {"password": "aHVudGVyMg=="}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta("settings"), "data": {"DB_PASSWORD": "Tr0ub4dor3x", "colour": "blue"}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta("plain"), "data": {"colour": "blue"}},
        {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": meta("good"), "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "good"}}}},
        {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": meta("lax", ""), "webhooks": [
            {"name": "a.example.test", "failurePolicy": "Ignore", "sideEffects": "None", "admissionReviewVersions": ["v1"], "clientConfig": {"url": "https://a"}, "rules": []}]},
    ]  # fmt: skip


CONFIGZ: Object = {"kubeletconfig": {
    "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": True}}, "authorization": {"mode": "Webhook"}, "readOnlyPort": 0, "protectKernelDefaults": True,
}}  # fmt: skip
