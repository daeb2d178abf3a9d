"""A command that a rule refuses."""


class Refused(Exception):
    """A well-formed command that a rule refuses.

    Attributes:
        reason: A name of reasons.proto without its prefix.
        message: What is wrong and what to do, without any personal data.
        field: The field it is about; empty when the command as a whole is meant.
    """

    def __init__(self, reason: str, message: str, *, field: str = "") -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message
        self.field = field
