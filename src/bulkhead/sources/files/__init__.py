"""A tree of files as a Snapshot with its Gaps: manifests, Dockerfiles, Compose, Terraform, CloudFormation, charts.

Reads; never follows a link out of the tree, never reaches a network, never writes in the tree. ``read`` walks a folder
or takes one file; ``parse`` says what one file with given bytes would hold, ``tried`` what several of a tree would.
"""

from bulkhead.sources.files.model import Limits, Renderer
from bulkhead.sources.files.parse import parse
from bulkhead.sources.files.read import read, tried

__all__ = ["Limits", "Renderer", "parse", "read", "tried"]
