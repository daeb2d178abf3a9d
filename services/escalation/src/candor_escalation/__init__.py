"""Incidents, legal clocks and reports."""
