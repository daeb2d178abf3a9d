"""Mechanism shared by the services of Candor."""
