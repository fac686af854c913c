"""Settings and composition root: the only place that names every adapter. Contains no logic of its own."""
