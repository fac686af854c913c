"""The Kubernetes API over HTTPS, and the kubeconfig that says where it is and who we are there.

The only code that speaks that wire: thin, asynchronous, bounded in size, time, pages and tries, with the server's errors
mapped to ours. Objects stay what the server sent: nothing is lost in types.
"""

from bulkhead.clients.kube.client import MANAGER, Answer, KubeClient, Limits
from bulkhead.clients.kube.config import Cluster, load
from bulkhead.clients.kube.discovery import ApiResource, Discovered
from bulkhead.clients.kube.refusals import Expired, Forbidden, Unauthorised, Vanished
from bulkhead.clients.kube.watch import Event, watch

__all__ = [
    "MANAGER",
    "Answer", "ApiResource", "Cluster", "Discovered", "Event", "Expired", "Forbidden", "KubeClient", "Limits", "Unauthorised",
    "Vanished", "load", "watch",
]  # fmt: skip
