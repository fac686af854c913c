"""What code raises that meets data of another shape than its kind has.

Objects come from strangers: a list where a mapping belongs, a number for a name, an unknown value. Readers, views, facts and
repairs are written for the right shape; where they meet another, these are caught and become an error outcome, a gap or a
refusal, never a pass and never a crash.
"""

WRONG_SHAPE = (TypeError, AttributeError, KeyError, ValueError, IndexError, RecursionError)
