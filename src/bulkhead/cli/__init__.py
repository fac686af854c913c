"""Arguments, rendering, exit codes. Each command imports what it needs when it runs."""
