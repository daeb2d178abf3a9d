"""The rules of the rights service. Only the standard library; time and identifiers are arguments."""
