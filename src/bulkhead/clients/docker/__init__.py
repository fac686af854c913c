"""The Docker Engine API over its Unix socket (Engine API 1.41 and later).

The only code that speaks that wire. It reads: every call is a GET, every answer is bounded in size and time, and an answer
that is not what it should be is an error with the engine's own words.
"""

from bulkhead.clients.docker.client import DockerClient, Limits, Vanished

__all__ = ["DockerClient", "Limits", "Vanished"]
