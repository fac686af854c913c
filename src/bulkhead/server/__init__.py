"""The faces that a client connects to, run by one supervisor. A face asks use cases; it touches no store and no world directly."""
