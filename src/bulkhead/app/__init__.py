"""Use cases over ports: scan, fix, undo. Chooses no backend."""
