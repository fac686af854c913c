"""JSON texts: values, places and edits that keep the layout. One document per text; duplicate keys are refused."""

from bulkhead.formats.jsontext.edit import apply
from bulkhead.formats.jsontext.load import load
from bulkhead.formats.jsontext.places import locate

__all__ = ["apply", "load", "locate"]
