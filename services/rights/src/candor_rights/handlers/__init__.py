"""One transaction each: lock, load, decide, save, publish."""
