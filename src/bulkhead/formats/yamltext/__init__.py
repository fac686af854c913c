"""YAML as Kubernetes reads it: values, places and edits that leave the rest of the text alone.

Values follow YAML 1.1 as kubectl does (``privileged: yes`` is true, ``0644`` is 420, a key is always a string), are
JSON-shaped, and hold ``UNKNOWN`` where a plain or quoted scalar holds a template (``"{{ .Values.tag }}"``). A template
inside a block scalar is the text of some other program and stays text. Duplicate keys are refused.
"""

from bulkhead.formats.yamltext.edit import apply
from bulkhead.formats.yamltext.load import load
from bulkhead.formats.yamltext.places import locate

__all__ = ["apply", "load", "locate"]
