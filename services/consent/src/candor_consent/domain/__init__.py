"""The rules of consent: state and command and instant in, acts or a refusal out. No clock, no database, no wire."""
