"""Rights of the data subject."""
