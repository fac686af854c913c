"""YAML as Kubernetes reads it: values, places and edits that leave the rest of the text alone.

Values follow YAML 1.1 as kubectl does (``privileged: yes`` is true, ``0644`` is 420, a key is always a string), are
JSON-shaped, and hold ``UNKNOWN`` where a plain or quoted scalar holds a template (``"{{ .Values.tag }}"``). A template
inside a block scalar is the text of some other program and stays text. Duplicate keys are refused.
"""

from collections.abc import Sequence

from bulkhead.core.plan import Edit
from bulkhead.formats.model import BOUNDS, Bounds
from bulkhead.formats.yamltext.load import load
from bulkhead.formats.yamltext.places import locate

__all__ = ["apply", "load", "locate"]


def apply(data: bytes, edits: Sequence[Edit], *, bounds: Bounds = BOUNDS) -> bytes:
    """See ``edit.apply``, which is imported when first asked for: most runs change nothing."""
    from bulkhead.formats.yamltext import edit

    return edit.apply(data, edits, bounds=bounds)
