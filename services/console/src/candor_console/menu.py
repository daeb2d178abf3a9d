"""The pages a person is led to: those whose RPCs admit one of their roles."""

from dataclasses import dataclass

from candor_console import rpcs

# Who audits is whom the verifier is for; it shows nothing that is not pasted into it.
VERIFIER_ROLES = frozenset({"auditor"})
# Dead letters are read from Kafka with the console's own right to read, so who may see them is decided here.
DEAD_LETTER_ROLES = frozenset({"operator", "on_call", "privacy_officer", "auditor"})


@dataclass(frozen=True, slots=True)
class Entry:
    """A link of the menu; `here` when it leads to where the person is."""

    path: str
    text: str
    here: bool


# Path, text, roles; None: everybody who is signed in.
_PAGES: tuple[tuple[str, str, frozenset[str] | None], ...] = (
    ("/", "menu.overview", None),
    ("/on-call", "oncall.menu", rpcs.LIST_CLOCKS.roles),
    ("/questions", "questions.title", rpcs.LIST_QUESTIONS.roles),
    ("/roster", "roster.menu", rpcs.WHO_IS_ON_CALL.roles),
    ("/requests", "requests.title", rpcs.LIST_REQUESTS.roles),
    ("/clocks", "clocks.title", rpcs.LIST_CLOCKS.roles),
    ("/claims", "claims.title", rpcs.LIST_CLAIMS.roles),
    ("/reviews", "reviews.title", rpcs.LIST_REVIEWS.roles),
    ("/disposals", "disposals.title", rpcs.LIST_DISPOSALS.roles),
    ("/registers", "registers.title", rpcs.LIST_ENTRIES.roles),
    ("/features", "features.title", rpcs.LIST_FEATURES.roles),
    ("/log", "log.title", None),
    ("/verifier", "verifier.menu", VERIFIER_ROLES),
    ("/dead-letters", "dead_letters.title", DEAD_LETTER_ROLES),
    ("/views", "views.menu", rpcs.LIST_VIEWS["rights"].roles),
)


def entries(roles: frozenset[str], path: str) -> list[Entry]:
    """The menu for these roles at this path."""
    return [
        Entry(target, text, here=path == target or (target != "/" and path.startswith(f"{target}/")))
        for target, text, admitted in _PAGES
        if admitted is None or admitted & roles
    ]
