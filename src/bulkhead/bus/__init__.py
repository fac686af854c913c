"""Transports behind the bus port. Carries messages between the parts of one installation; decides nothing."""
