"""The tree of a module: see syntax."""
