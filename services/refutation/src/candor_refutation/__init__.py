"""Refutation of rumours and false information."""
