"""Policy documents of AWS identities and resources as plain statements, whichever way they are written.

IAM's JSON as text or value, and Terraform's ``aws_iam_policy_document``, whose blocks spell the same things in their
own way (IAM user guide, "JSON policy element reference").
"""

from __future__ import annotations

from typing import Any

from bulkhead.core.resource import UNKNOWN
from bulkhead.engines.cel.errors import CelError

_LISTS = {
    "actions": ("Action", "actions"),
    "notActions": ("NotAction", "not_actions"),
    "resources": ("Resource", "resources"),
    "notResources": ("NotResource", "not_resources"),
}
_INCLUDED = ("source_json", "override_json", "source_policy_documents", "override_policy_documents")


def statements(document: Any) -> list[Any]:
    """Each statement with ``sid``, ``effect``, ``actions``, ``notActions``, ``resources``, ``notResources``,
    ``principals`` (``*`` or ``AWS:arn…``; ``!`` before those that are excluded) and ``conditions``
    (``{operator, key, values}``). All but the first two are lists.

    A statement that is not known, or that another document which is not known may add, is unknown in the list.

    Raises:
        CelError: it is no policy document.
    """
    if isinstance(document, str):
        if not document.strip():
            return []
        import json

        try:
            document = json.loads(document)
        except (ValueError, RecursionError) as exc:
            raise CelError("a policy document is JSON") from exc
    if not isinstance(document, dict):
        raise CelError("a policy document is an object")
    out = [_statement(item) for item in _list(document.get("Statement", document.get("statement")))]
    for name in _INCLUDED:
        for other in _list(document.get(name)):
            out += [UNKNOWN] if other is UNKNOWN else statements(other)
    return out


def _statement(item: Any) -> Any:
    if item is UNKNOWN:
        return UNKNOWN
    if not isinstance(item, dict):
        raise CelError("a statement of a policy document is not known")
    out: dict[str, Any] = {
        "sid": item.get("Sid", item.get("sid", "")),
        "effect": item.get("Effect", item.get("effect", "Allow")),
    }
    for name, spelled in _LISTS.items():
        out[name] = [entry for key in spelled for entry in _list(item.get(key))]
    out["principals"] = [
        *_principals(item.get("Principal", item.get("principals")), ""),
        *_principals(item.get("NotPrincipal", item.get("not_principals")), "!"),
    ]
    out["conditions"] = _conditions(item.get("Condition", item.get("condition")))
    return out


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _principals(value: Any, mark: str) -> list[Any]:
    pairs: list[tuple[Any, Any]] = []
    for item in _list(value):
        if not isinstance(item, dict):
            pairs.append(("*" if item == "*" else "AWS", item))
        elif "identifiers" in item:
            pairs += [(item.get("type", "AWS"), one) for one in _list(item["identifiers"])]
        else:
            pairs += [(kind, one) for kind, names in item.items() for one in _list(names)]
    return [_principal(kind, name, mark) for kind, name in pairs]


def _principal(kind: Any, name: Any, mark: str) -> Any:
    if not isinstance(kind, str) or not isinstance(name, str):
        return UNKNOWN
    # {"AWS": "*"} is everyone, as "*" alone is.
    return mark + ("*" if name == "*" and kind in ("*", "AWS") else f"{kind}:{name}")


def _conditions(value: Any) -> list[dict[str, Any]]:
    if value is UNKNOWN:
        raise CelError("a condition of the policy document is not known")
    out: list[dict[str, Any]] = []
    for item in _list(value):
        if not isinstance(item, dict):
            raise CelError("a condition of the policy document is not known")
        if "test" in item:
            out.append({"operator": item["test"], "key": item.get("variable", ""), "values": _list(item.get("values"))})
            continue
        for operator, keys in item.items():
            if not isinstance(keys, dict):
                raise CelError("a condition of the policy document is not known")
            out += [{"operator": operator, "key": key, "values": _list(found)} for key, found in keys.items()]
    return out
