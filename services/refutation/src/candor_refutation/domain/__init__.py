"""The rules of refutation: standard library only; time and identifiers are arguments."""
