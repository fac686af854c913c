"""Templates, constraints and a cluster for the tests of Gatekeeper."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import yaml

from bulkhead.core.errors import SourceError
from bulkhead.engines.gatekeeper import Constraint, compile_constraint, compile_template
from bulkhead.engines.gatekeeper.model import Object
from bulkhead.engines.gatekeeper.objects import inventory

REGO = """
package required

violation[{"msg": msg, "details": {"missing": missing}}] {
    provided := {label | input.review.object.metadata.labels[label]}
    wanted := {label | label := input.parameters.labels[_]}
    missing := wanted - provided
    count(missing) > 0
    msg := sprintf("you must provide labels: %v", [missing])
}
"""


def template(rego: str = REGO, kind: str = "RequiredLabels", schema: str = "", **target: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "apiVersion": "templates.gatekeeper.sh/v1", "kind": "ConstraintTemplate", "metadata": {"name": kind.lower()},
        "spec": {
            "crd": {"spec": {"names": {"kind": kind}}},
            "targets": [{"target": "admission.k8s.gatekeeper.sh", **({"rego": rego} if rego else {}), **target}],
        },
    }  # fmt: skip
    text = schema or "{type: object, properties: {labels: {type: array, items: {type: string}}}}"
    made["spec"]["crd"]["spec"]["validation"] = {"openAPIV3Schema": yaml.safe_load(text)}
    return made


def cel(expression: str, kind: str = "ByCel", **source: Any) -> dict[str, Any]:
    code = {"engine": "K8sNativeValidation", "source": {"validations": [{"expression": expression}], **source}}
    return template("", kind, code=[code])


def constraint(of: Mapping[str, Any] | None = None, name: str = "c", **spec: Any) -> Constraint:
    made = compile_template(of or template())
    thing = {
        "apiVersion": "constraints.gatekeeper.sh/v1beta1",
        "kind": made.kind,
        "metadata": {"name": name},
        "spec": spec,
    }
    return compile_constraint(made, thing)


def thing(text: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def pod(name: str = "web", namespace: str = "shop", **labels: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"containers": [{"name": "main", "image": "nginx:1"}]},
    }  # fmt: skip


class Cluster:
    """What a test gives; a namespace that is not given cannot be told where ``blind``."""

    def __init__(
        self, *things: Object, blind: bool = False, providers: Mapping[str, Callable[[list[Any]], Object]] | None = None
    ) -> None:
        self._things = things
        self._blind = blind
        self._providers = providers or {}
        self.asked: list[tuple[str, Sequence[Any]]] = []

    def namespace(self, name: str) -> Object | None:
        if self._blind:
            raise SourceError("the cluster does not answer", where=name)
        for item in self._things:
            if item["kind"] == "Namespace" and item["metadata"]["name"] == name:
                return item
        return None

    def inventory(self) -> Object:
        return inventory(self._things)

    def external(self, provider: str, keys: list[Any]) -> Object:
        self.asked.append((provider, keys))
        if provider not in self._providers:
            raise SourceError("there is no such provider", where=provider)
        return self._providers[provider](keys)


def namespace(name: str, **labels: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
