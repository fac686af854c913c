"""Container images into resources: configuration, history, layers, and what lies in their files.

From an archive of ``docker save``, an OCI layout as a folder or an archive, or a registry. Layers are read as streams and
never written out as files. What could not be read is a Gap, and what depends on it is unknown. Never judges, never keeps
the value of a secret.
"""

from bulkhead.sources.images.archive import read_archive
from bulkhead.sources.images.bounds import Bounds
from bulkhead.sources.images.registry import read_registry

__all__ = ["Bounds", "read_archive", "read_registry"]
