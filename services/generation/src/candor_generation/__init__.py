"""Generation log."""
