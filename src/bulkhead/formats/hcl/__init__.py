"""HCL as Terraform writes it: blocks with literal values, places and edits.

A value that needs more than literals, variables with defaults and locals is ``UNKNOWN``; where it is a reference, its
address is kept beside the body. ``document`` counts the top-level blocks.
"""

from bulkhead.formats.hcl.edit import apply
from bulkhead.formats.hcl.load import load
from bulkhead.formats.hcl.places import locate

__all__ = ["apply", "load", "locate"]
