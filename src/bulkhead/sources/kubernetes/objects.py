"""One object as the Snapshot keeps it: lean, and without the values of secrets."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Final

# Kinds whose status some control reads. Of the others it is the cluster's own bookkeeping.
_STATUS: Final = frozenset(
    {
        "Node",
        "DaemonSet",
        "ClusterVersion",
        "ImageStream",
        "ClusterOperator",
        "KubeAPIServer",
        "OpenShiftAPIServer",
        "Image",
        "Route",
        "Pod",
    }
)
_PARTS: Final = {
    "Pod": frozenset({"phase"}), "DaemonSet": frozenset({"desiredNumberScheduled", "numberReady"}), "Node": frozenset({"nodeInfo", "addresses", "daemonEndpoints"}),
}  # fmt: skip
_LAST = "kubectl.kubernetes.io/last-applied-configuration"


def lean(data: Mapping[str, Any], key: bytes) -> dict[str, Any]:
    """The object without what nobody judges. ``key`` is of this reading."""
    out = {name: value for name, value in data.items() if name != "status" or data.get("kind") in _STATUS}
    kept = _PARTS.get(str(data.get("kind")))
    if kept is not None and isinstance(out.get("status"), dict):
        # The rest of it moves all the time.
        out["status"] = {name: value for name, value in out["status"].items() if name in kept}
    metadata = {name: value for name, value in (out.get("metadata") or {}).items() if name != "resourceVersion"}
    if isinstance(metadata.get("managedFields"), list):
        metadata["managedFields"] = [
            {"manager": entry.get("manager", ""), "operation": entry.get("operation", "")}
            for entry in metadata["managedFields"]
            if isinstance(entry, dict)
        ]
    notes = metadata.get("annotations")
    if isinstance(notes, dict) and _LAST in notes:
        metadata["annotations"] = {name: value for name, value in notes.items() if name != _LAST}
    out["metadata"] = metadata
    if out.get("kind") == "Secret":
        for field in ("data", "stringData"):
            if isinstance(out.get(field), dict):
                out[field] = {name: _digest(value, key) for name, value in out[field].items()}
    return out


def _digest(value: Any, key: bytes) -> str:
    """Tells whether two values are the same, and nothing else about them."""
    return "digest:" + hmac.new(key, str(value).encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:32]
