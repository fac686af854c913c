"""Documents into resources, one module per kind of document. Pure; never judges."""
