"""Attack paths: from an entry point to a node or to cluster admin, and the fewest fixes that cut them all."""
