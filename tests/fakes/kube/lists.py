"""Lists of the double: pages with tokens that run out, exact and too new versions, selectors."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any

from tests.fakes.kube.kinds import Kind
from tests.fakes.kube.status import Refused
from tests.fakes.kube.store import Object, Store

_OLD_TOKEN = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue "
    "parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided "
    "token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was "
    "returned and now may show up in the list."
)
# pkg/apis/core/v1/conversion.go, AddFieldLabelConversions: as far as anybody here asks.
_FIELDS = {
    "Pod": {"spec.nodeName", "spec.serviceAccountName", "spec.restartPolicy", "status.phase"},
    "Secret": {"type"},
}


def listed(
    store: Store, kind: Kind, namespace: str, query: dict[str, str], *, expiring: frozenset[str] = frozenset()
) -> Any:
    """The body of a list. Raises Refused."""
    asked, match = query.get("resourceVersion", ""), query.get("resourceVersionMatch", "")
    chosen = selection(kind, query)
    version, after = store.version, ("", "")
    if token := query.get("continue", ""):
        version, after = _token(store, token, namespace, expired=token in expiring)
    elif match == "Exact":
        version = int(asked)
        if version < store.oldest:
            raise Refused(410, "The resourceVersion for the provided list is too old.")
    elif asked and int(asked) > store.version:
        raise Refused(
            504,
            f"Timeout: Too large resource version: {asked}, current: {store.version}",
            {
                "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
                "retryAfterSeconds": 1,
            },
        )
    there = [
        (key[2:], item)
        for key, item in store.within(kind[0], kind[3], namespace, version)
        if key[2:] > after and chosen(item)
    ]
    limit = 0 if asked == "0" and not match else int(query.get("limit") or 0)
    page = there[:limit] if limit else there
    metadata: dict[str, Any] = {"resourceVersion": str(version)}
    if len(page) < len(there):
        metadata["continue"] = _made(version, page[-1][0], namespace)
        if not query.get("labelSelector") and not query.get("fieldSelector"):
            metadata["remainingItemCount"] = len(there) - len(page)
    bare = [{key: value for key, value in item.items() if key not in ("apiVersion", "kind")} for _, item in page]
    return {
        "kind": f"{kind[2]}List", "apiVersion": f"{kind[0]}/{kind[1]}" if kind[0] else kind[1], "metadata": metadata, "items": bare,
    }  # fmt: skip


def _made(version: int, last: tuple[str, str], namespace: str) -> str:
    """``meta.k8s.io/v1``: the version, and the key after which it goes on."""
    start = f"{last[1]}\0" if namespace or not last[0] else f"{last[0]}/{last[1]}\0"
    # A token that goes on with an inconsistent list comes from another place, which writes the key without its slash.
    start = start if version == -1 else f"/{start}"
    text = json.dumps({"v": "meta.k8s.io/v1", "rv": version, "start": start}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _token(store: Store, token: str, namespace: str, *, expired: bool) -> tuple[int, tuple[str, str]]:
    try:
        data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (ValueError, binascii.Error):
        raise Refused(400, "invalid continue token: continue key is not valid: illegal base64 data") from None
    try:
        told = json.loads(data)
        version, start = int(told["rv"]), str(told["start"])
    except (ValueError, KeyError, TypeError):
        first = f"\\u{data[0]:04x}" if data[:1] > b"\x7f" else data[:1].decode()
        said = f"invalid character '{first}' looking for beginning of value"
        raise Refused(400, f"invalid continue token: continue key is not valid: {said}") from None
    parts = start.strip("/\0").split("/")
    after = (parts[0], parts[1]) if len(parts) > 1 else (namespace, parts[0])
    if version == -1:
        return store.version, after
    if expired or version < store.oldest:
        raise Refused(410, _OLD_TOKEN, fresh=_made(-1, after, namespace))
    return version, after


def selection(kind: Kind, query: dict[str, str]) -> Any:
    """A function that says whether an object is asked for. Raises Refused where a selector cannot be read."""
    labels = [_requirement(part) for part in query.get("labelSelector", "").split(",") if part]
    fields = [part.partition("=") for part in query.get("fieldSelector", "").split(",") if part]
    for name, _, _ in fields:
        if name not in {"metadata.name", "metadata.namespace", *_FIELDS.get(kind[2], ())}:
            raise Refused(400, f"field label not supported: {name}")

    def chosen(item: Object) -> bool:
        held = item["metadata"].get("labels") or {}
        return all(test(held) for test in labels) and all(_at(item, name) == value for name, _, value in fields)

    return chosen


def _requirement(text: str) -> Any:
    found = re.fullmatch(r"(!?)([\w./-]+)(?:(=|==|!=)([\w.-]*))?", text)
    if found is None:
        raise Refused(400, "unable to parse requirement: found '==', expected: identifier")
    absent, name, operator, value = found.groups()
    if operator is None:
        return lambda labels: (name in labels) is not bool(absent)
    return lambda labels: (labels.get(name) == value) is (operator != "!=")


def _at(item: Any, name: str) -> str:
    for part in name.split("."):
        item = item.get(part) if isinstance(item, dict) else None
    return str(item or "")
