"""The APIs of clouds, through the clouds' own programs for Python; here AWS through boto3 (the extra ``cloud``).

The only code that speaks that wire: asynchronous for its callers, in a bounded number of threads, bounded in pages, items, time
and tries, with the cloud's errors mapped to ours. It decides nothing, and what a refused call says of keys and signatures is never told.
"""

from bulkhead.clients.cloud.client import AwsClient, Limits, Listed
from bulkhead.clients.cloud.failures import Forbidden, Throttled, Unauthorised, Vanished

__all__ = ["AwsClient", "Forbidden", "Limits", "Listed", "Throttled", "Unauthorised", "Vanished"]
