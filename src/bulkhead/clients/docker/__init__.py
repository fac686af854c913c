"""The Docker Engine API over its Unix socket (Engine API 1.41 and later).

The only code that speaks that wire. Every answer is bounded in size and time, and one that is not what it should be is an
error with the engine's own words. Reading is GET alone; what changes something is never repeated by itself.
"""

from bulkhead.clients.docker.client import DockerClient, Limits, Vanished
from bulkhead.clients.docker.holder import holder

__all__ = ["DockerClient", "Limits", "Vanished", "holder"]
