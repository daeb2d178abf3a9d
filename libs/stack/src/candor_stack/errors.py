"""What can go wrong with the local stack, said so that the reader knows what to do next."""


class StackError(RuntimeError):
    """The local stack cannot do what was asked; the message says what to do about it."""
