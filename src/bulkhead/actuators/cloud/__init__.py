"""Changes accounts of clouds; here AWS through its APIs. Carries steps out and takes them back, and decides nothing.

A change is made field by field from what is there now to what is wanted, so that an undo goes on from half of one. What a call
cannot take back is not changed here.
"""

from bulkhead.actuators.cloud.hands import AwsHands
from bulkhead.actuators.cloud.waiting import Patience

__all__ = ["AwsHands", "Patience"]
