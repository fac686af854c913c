"""Files of policies: YAML, JSON and Rego, by a bounded walk that follows no link out of its folder. It judges nothing."""

from bulkhead.sources.policies.read import Folder

__all__ = ["Folder"]
