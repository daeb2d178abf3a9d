"""How a rule says no."""


class Refused(Exception):
    """A well-formed command that a rule refuses.

    Attributes:
        reason: A name of reasons.proto without its prefix.
        message: What is wrong, for the caller.
        field: The field of the command that it is about, if any.
    """

    def __init__(self, reason: str, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.field = field
