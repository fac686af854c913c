"""Recorded answers of a real API server: read, set up in the double, asked of it again, compared."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import httpx

from tests.corpora import folder
from tests.fakes.kube import KubeDouble

Object = dict[str, Any]
TOKEN = "REDACTED"
VERSION = 1411
"""Of the lists."""
# Headers that tell a client something that it acts on.
_HEADERS = ("Content-Type", "Cache-Control", "Etag", "Vary", "Warning", "Retry-After")
# What is another one each time.
_VOLATILE = frozenset({"uid", "resourceVersion", "creationTimestamp", "time", "deletionTimestamp"})


@lru_cache(maxsize=1)
def recordings() -> dict[str, Object]:
    place = folder("recorded", "kubernetes-1.36", "api")
    return {path.stem: json.loads(path.read_bytes()) for path in sorted(place.glob("*.json")) if path.stem != "index"}


def items_of(name: str) -> Iterator[Object]:
    body = recordings()[name]["body"]
    for item in body["items"]:
        yield {"apiVersion": body["apiVersion"], "kind": body["kind"].removesuffix("List"), **item}


def restored(double: KubeDouble) -> None:
    """The cluster of the recordings, at the moment of the lists."""
    for name in (
        "namespaces-list", "nodes-list", "pods-list-resourceversion-0", "configmaps-list-page1", "configmaps-list-page2",
        "configmaps-list-page3", "deployments-list-page1",
    ):  # fmt: skip
        for item in items_of(name):
            double.restore(item)
    double.restore(recordings()["secret-get"]["body"])
    double.store.version = VERSION


def cas() -> Object:
    """A ConfigMap of the later recordings."""
    body: Object = json.loads(json.dumps(recordings()["dryrun-patch"]["body"]))
    del body["data"]["z"], body["metadata"]["managedFields"][0]["fieldsV1"]["f:data"]["f:z"]
    return body


def written(double: KubeDouble) -> None:
    double.restore(cas())


def applied(double: KubeDouble) -> None:
    double.restore(recordings()["apply-create-201"]["body"])


def created(double: KubeDouble) -> None:
    double.restore(recordings()["created-201"]["body"])


def nothing(double: KubeDouble) -> None:
    """Nothing besides."""


def compacted(double: KubeDouble) -> None:
    double.store.compact()


def guest(double: KubeDouble) -> None:
    double.anonymous = True


def stranger(double: KubeDouble) -> None:
    double.token = "another"


def forbidding(*what: str) -> Callable[[KubeDouble], None]:
    return lambda double: double.forbidden.update(what)


def at(version: int) -> Callable[[KubeDouble], None]:
    def set_version(double: KubeDouble) -> None:
        double.store.version = version

    return set_version


def ssa(double: KubeDouble) -> None:
    """What there was when the watches were recorded."""
    double.restore(cas())
    double.restore(recordings()["apply-force-200"]["body"])
    double.store.version = 2060


def kubelet(double: KubeDouble) -> None:
    """A kubelet behind the server says what it said."""
    for name in ("node-configz", "node-proxy-healthz", "node-proxy-pods", "node-proxy-stats-summary"):
        recording = recordings()[name]
        double.raws[recording["request"]["path"]] = recording.get("body", recording.get("bodyText"))


def later(double: KubeDouble) -> None:
    """Old pods of the CronJob are gone, new ones have come."""
    for name in ("cron-29923590-q2sh6", "cron-29923591-j8qf4", "cron-29923592-cnp7m"):
        double.remove("Pod", name, "demo")
    for item in items_of("pods-list-inconsistent-continue"):
        double.restore(item)
    double.store.version = 2086


def gadgets(double: KubeDouble) -> None:
    double.define("example.test", "v1", "Gadget", "gadgets", namespaced=True)
    double.store.version = 2072
    double.store.compact()


# What there was besides, when it was recorded.
SETUP: dict[str, Callable[[KubeDouble], None]] = {
    "apply-conflict-409": applied, "apply-force-200": applied, "apply-managedfields-in-body-400": applied, "apply-no-fieldmanager-422": applied,
    "deleted-200-status": created, "dryrun-patch": written, "error-409-already-exists": written, "error-409-conflict-update": written,
    "error-409-delete-precondition": written, "error-422-json-patch-test": written, "error-410-exact-resourceversion": compacted,
    "error-410-expired-continue": compacted, "error-403-anonymous": guest, "selfsubjectreview-anonymous": guest,
    "error-401-bad-token": stranger, "error-403-create": forbidding("create:ClusterRole"), "error-403-nonresource": forbidding("/metrics"),
    "error-403-serviceaccount": forbidding("Secret"), "node-proxy-403": forbidding("Node/proxy"), "watch-403": forbidding("watch:Secret"),
    "pods-list-future-resourceversion-504": at(1415), "pods-list-inconsistent-continue": later,
    "watch-configmaps-added-modified-deleted": at(2054), "watch-error-event-410": gadgets, "watch-labelselector-enter-and-leave": ssa,
    "watch-sendinitialevents": ssa, "watch-table": ssa, "node-configz": kubelet, "node-proxy-healthz": kubelet, "node-proxy-pods": kubelet,
    "node-proxy-stats-summary": kubelet,
}  # fmt: skip


def _change(double: KubeDouble, method: str, name: str, body: Object | None = None) -> None:
    """As the recorder wrote them: a merge patch, a new object, a deletion."""
    content = "application/merge-patch+json" if method == "PATCH" else "application/json"
    headers = {"User-Agent": "recorder/1", "Authorization": f"Bearer {TOKEN}", "Content-Type": content}
    path = f"{double.url}/api/v1/namespaces/demo/configmaps/{name}".removesuffix("/")
    answer = httpx.request(method, path, headers=headers, content=json.dumps(body or {}))
    assert answer.is_success, answer.text


def _w(double: KubeDouble) -> None:
    labels = {"name": "w", "labels": {"w": "1"}}
    _change(double, "POST", "", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": labels, "data": {"a": "1"}})
    _change(double, "PATCH", "w", {"data": {"a": "2"}})
    _change(double, "DELETE", "w")


def _in_and_out(double: KubeDouble) -> None:
    _change(double, "PATCH", "cas", {"metadata": {"labels": {"in": "1"}}})
    _change(double, "PATCH", "cas", {"metadata": {"labels": {"in": None}}})


# What happened while a watch was open.
MEANWHILE: dict[str, Callable[[KubeDouble], None]] = {
    "watch-configmaps-added-modified-deleted": _w,
    "watch-labelselector-enter-and-leave": _in_and_out,
}


def ask(double: KubeDouble, name: str) -> Object:
    """The double's answer to the recorded request, in the shape of a recording."""
    recording = recordings()[name]
    request = recording["request"]
    headers = {
        "User-Agent": "recorder/1",
        "Authorization": f"Bearer {TOKEN}",
        "Accept": "application/json",
        **request.get("headers", {}),
    }
    if name.endswith("anonymous"):
        del headers["Authorization"]
    if "contentType" in request:
        headers["Content-Type"] = request["contentType"]
    if "If-None-Match" in headers:
        # The tag is the document's, and the double's document is another.
        headers["If-None-Match"] = httpx.get(f"{double.url}/apis", headers={**headers, "If-None-Match": ""}).headers[
            "etag"
        ]
    body = request.get("body")
    content = None if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
    path = re.sub(r"timeoutSeconds=\d+", "timeoutSeconds=0.4", request["path"])
    if "events" in recording:
        return _watched(double, name, path, headers)
    answer = httpx.request(request["method"], f"{double.url}{path}", headers=headers, content=content)
    return {"status": answer.status_code, "headers": answer.headers, **_body(answer.text)}


def _watched(double: KubeDouble, name: str, path: str, headers: dict[str, str]) -> Object:
    with httpx.stream("GET", f"{double.url}{path}", headers=headers) as answer:
        MEANWHILE.get(name, nothing)(double)
        events = [json.loads(line) for line in answer.iter_lines()]
    return {"status": answer.status_code, "headers": answer.headers, "events": events}


def _body(text: str) -> Object:
    try:
        return {"body": json.loads(text)}
    except ValueError:
        return {"bodyText": text}


def differences(recorded: Object, answered: Object) -> set[str]:
    """Where the answers differ; not in what is another one each time."""
    if recorded["status"] != answered["status"]:
        return {f"status {answered['status']}"}
    out = set()
    for header in _HEADERS:
        told, said = recorded["headers"].get(header) or [""], answered["headers"].get(header, "")
        if header == "Etag":
            told, said = [str(bool(told[0]))], str(bool(said))
        if ", ".join(told) != said:
            out.add(f"header {header}")
    if "events" in recorded:
        wanted = [(event["type"], event["object"]) for event in recorded["events"]]
        out |= set(
            _apart(
                "events",
                _without_repeats(wanted),
                _without_repeats([(e["type"], e["object"]) for e in answered["events"]]),
            )
        )
    elif "body" in recorded and "body" in answered:
        wanted = _as_far_as(recorded["body"], answered["body"])
        out |= set(_apart("body", wanted, answered["body"]))
    elif recorded.get("bodyText") != answered.get("bodyText"):
        out.add("body")
    return out


def _as_far_as(wanted: Any, found: Any) -> Any:
    """Of what a server says of its kinds: what it says of those that the double has."""
    kind = wanted.get("kind", "")
    return _named(wanted, found) if kind.startswith("API") and kind != "APIVersions" else wanted


def _named(wanted: Any, found: Any) -> Any:
    if isinstance(wanted, dict) and isinstance(found, dict):
        return {key: _named(value, found.get(key)) for key, value in wanted.items()}
    if isinstance(wanted, list) and isinstance(found, list) and all(isinstance(item, dict) for item in wanted):
        by_name = {_name(item): item for item in wanted}
        return [_named(by_name.get(_name(item), {"is not": "there"}), item) for item in found]
    return wanted


def _name(item: Object) -> str:
    told = (item.get(key) for key in ("name", "resource", "subresource", "version"))
    return str(next((name for name in told if name), item.get("metadata", {}).get("name", "")))


def _without_repeats(events: list[tuple[str, Object]]) -> list[list[Any]]:
    """A bookmark after a bookmark depends on how long one listens."""
    out: list[list[Any]] = []
    for kind, data in events:
        if not (kind == "BOOKMARK" and out and out[-1][0] == "BOOKMARK"):
            out.append([kind, data])
    return out


def _apart(where: str, wanted: Any, found: Any) -> Iterator[str]:
    if isinstance(wanted, dict) and isinstance(found, dict):
        for key in wanted.keys() | found.keys():
            here = f"{where}.{key}"
            if key not in wanted or key not in found:
                yield f"{here} {'is more' if key not in wanted else 'is missing'}"
            elif key not in _VOLATILE:
                yield from _apart(here, wanted[key], found[key])
    elif isinstance(wanted, list) and isinstance(found, list):
        if len(wanted) != len(found):
            yield f"{where} has another length"
        for one, other in zip(wanted, found, strict=False):
            yield from _apart(f"{where}[]", one, other)
    elif wanted != found:
        yield where
