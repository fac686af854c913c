"""Fields that the API server drops without a word, and the field that was probably meant (core/v1, Kubernetes 1.34)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SECURITY = _words("""allowPrivilegeEscalation appArmorProfile capabilities privileged procMount
    readOnlyRootFilesystem runAsGroup runAsNonRoot runAsUser seLinuxOptions seccompProfile windowsOptions""")
_POD_SECURITY = _words("""appArmorProfile fsGroup fsGroupChangePolicy runAsGroup runAsNonRoot runAsUser
    seLinuxChangePolicy seLinuxOptions seccompProfile supplementalGroups supplementalGroupsPolicy sysctls
    windowsOptions""")
_CONTAINER = _words("""args command env envFrom image imagePullPolicy lifecycle livenessProbe name ports
    readinessProbe resizePolicy resources restartPolicy restartPolicyRules securityContext startupProbe stdin stdinOnce
    targetContainerName terminationMessagePath terminationMessagePolicy tty volumeDevices volumeMounts
    workingDir""")
_POD = _words("""activeDeadlineSeconds affinity automountServiceAccountToken containers dnsConfig dnsPolicy
    enableServiceLinks ephemeralContainers hostAliases hostIPC hostNetwork hostPID hostUsers hostname hostnameOverride
    imagePullSecrets initContainers nodeName nodeSelector os overhead preemptionPolicy priority priorityClassName
    readinessGates resourceClaims resources restartPolicy runtimeClassName schedulerName schedulingGates
    securityContext serviceAccount serviceAccountName setHostnameAsFQDN shareProcessNamespace subdomain
    terminationGracePeriodSeconds tolerations topologySpreadConstraints volumes workloadRef""")
_CAPABILITIES = frozenset(("add", "drop"))
_RESOURCES = frozenset(("limits", "requests", "claims"))
_PROBE = _words("""exec failureThreshold grpc httpGet initialDelaySeconds periodSeconds successThreshold tcpSocket
    terminationGracePeriodSeconds timeoutSeconds""")


def unknown(spec: dict[str, Any]) -> list[dict[str, str]]:
    """``path``, ``name`` and ``nearest`` (empty when nothing is near) of each field that a pod spec does not have."""
    out = list(_check(spec, _POD, ""))
    out += _check(spec.get("securityContext"), _POD_SECURITY, "securityContext")
    for key in ("initContainers", "containers", "ephemeralContainers"):
        for index, container in enumerate(spec.get(key) or ()):
            if isinstance(container, dict):
                out += _container(container, f"{key}[{index}]")
    return out


def _container(container: dict[str, Any], at: str) -> Iterator[dict[str, str]]:
    yield from _check(container, _CONTAINER, at)
    context = container.get("securityContext")
    yield from _check(context, _SECURITY, f"{at}.securityContext")
    if isinstance(context, dict):
        yield from _check(context.get("capabilities"), _CAPABILITIES, f"{at}.securityContext.capabilities")
    yield from _check(container.get("resources"), _RESOURCES, f"{at}.resources")
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        yield from _check(container.get(probe), _PROBE, f"{at}.{probe}")


def _check(value: Any, known: frozenset[str], at: str) -> Iterator[dict[str, str]]:
    for name in value if isinstance(value, dict) else ():
        if isinstance(name, str) and name not in known:
            from difflib import get_close_matches

            near = get_close_matches(name, known, 1, 0.7)
            yield {"path": f"{at}.{name}" if at else name, "name": name, "nearest": near[0] if near else ""}
