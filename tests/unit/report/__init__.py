"""Reports: what each format says, and what none may repeat."""
