"""Image sources: facts from layers, and what hostile archives get."""
