"""The functions that controls may call besides the expression language's own."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from bulkhead.engines.cel.errors import CelError
from bulkhead.engines.cel.program import Function
from bulkhead.posture.facts import api, images, policies, rbac, secrets, selectors


def _image(reference: Any) -> Any:
    if not isinstance(reference, str):
        raise CelError("an image reference is a string")
    return images.parse(reference)


def _glob(pattern: Any, text: Any) -> bool:
    return fnmatchcase(str(text), str(pattern))


FUNCTIONS = {
    function.name: function
    for function in (
        Function(name="image", receiver=False, implementation=_image),
        Function(name="glob", receiver=False, implementation=_glob),
        Function(name="selects", receiver=False, implementation=selectors.selects),
        Function(name="statements", receiver=False, implementation=policies.statements),
        Function(name="secretKind", receiver=False, implementation=secrets.kind),
        Function(name="allows", receiver=True, implementation=rbac.allows),
        Function(name="without", receiver=True, implementation=rbac.without),
        Function(name="groups", receiver=True, implementation=api.groups),
        Function(name="resources", receiver=True, implementation=api.resources),
    )
}
