"""The candor command."""
