"""One transaction each: load, decide, save, publish; and the questions."""
