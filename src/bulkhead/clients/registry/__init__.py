"""OCI distribution: manifests, indexes and blobs from a registry, with its token authentication.

The only code that speaks that wire. Every answer is bounded and every digest verified; credentials go to the registry
they were given for and to the token service it names over TLS, nowhere else. Never writes to a registry.
"""

from bulkhead.clients.registry.client import Manifest, RegistryClient
from bulkhead.clients.registry.credentials import Credential, from_config, load
from bulkhead.clients.registry.limits import Limits
from bulkhead.clients.registry.reference import Reference, parse

__all__ = ["Credential", "Limits", "Manifest", "Reference", "RegistryClient", "from_config", "load", "parse"]
