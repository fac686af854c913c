"""The Pod Security Standards as a cluster's own admission applies them, by level and by version of Kubernetes.

Pure: a pod's ``metadata`` and ``spec`` in, what they violate out, in the words of the API server.
"""

from bulkhead.engines.pss.levels import LATEST, Level, Violation, parse_version, violations

__all__ = ["LATEST", "Level", "Violation", "parse_version", "violations"]
