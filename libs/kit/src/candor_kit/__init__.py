"""Mechanism shared by the services: it knows no law and no subject matter."""
