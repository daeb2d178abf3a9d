"""What a rule answers when it refuses."""


class Refused(Exception):
    """A well-formed command that a rule refuses.

    Attributes:
        reason: a name of reasons.proto without its prefix.
        message: what is wrong and what to do.
        field: the field it is about, or "".
    """

    def __init__(self, reason: str, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.field = field
