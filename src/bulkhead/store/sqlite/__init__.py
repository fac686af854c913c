"""The store of one machine: runs, findings and the journal in one SQLite file.

``open_state`` is the way in. Never judges a finding and never touches a target of a plan.
"""

from bulkhead.store.sqlite.state import State, open_state

__all__ = ["State", "open_state"]
