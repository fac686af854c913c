"""Gatekeeper's mutators (mutations.gatekeeper.sh): where they change an object, what they put there, and when that is settled.

1. A mutator is compiled once; what Gatekeeper would refuse in it is refused.
2. Mutators whose paths contradict each other are both left out, and named.
3. All others are applied in their order, again and again until nothing changes; what does not settle is an error.
4. External data is asked for at the end, all keys of a provider at once.
"""

from bulkhead.engines.gatekeeper.mutation.apply import Mutated, mutate
from bulkhead.engines.gatekeeper.mutation.conflicts import conflicts
from bulkhead.engines.gatekeeper.mutation.mutators import Mutator, compile_mutator

__all__ = ["Mutated", "Mutator", "compile_mutator", "conflicts", "mutate"]
