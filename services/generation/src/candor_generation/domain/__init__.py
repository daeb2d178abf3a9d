"""The rules of the generation log. Standard library only; time and ids are arguments."""
