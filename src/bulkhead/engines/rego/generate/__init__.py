"""Plans to Python: ``analysis`` says what a block changes, ``writer`` holds lines, blocks and jumps, ``lower`` writes
statements, ``folding`` makes constants, ``calls`` writes calls, and ``module`` puts the functions of a policy together.

Only names made here, integers and ``ascii()`` of constants reach the text; nothing of the user's does.
"""
