"""Rows to domain and back. No rule is decided here."""
