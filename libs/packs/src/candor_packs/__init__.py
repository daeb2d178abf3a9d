"""Dated policy packs, and how a legal period is counted."""
