"""Accounts of clouds into Snapshots: AWS by reading its APIs, Google's and Microsoft's from their exported inventories.

Nothing is written; IAM is asked for its report of last access, which it writes for us. Each call that is refused is a gap that hides exactly the kinds that depend on it; a fact
of a resource whose own call was refused is unknown in it, so that no check takes it for absent. What an export does not hold is left
out in the same way. The shapes are in docs/resources.md.
"""
