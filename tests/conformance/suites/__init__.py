"""One module per foreign suite."""
