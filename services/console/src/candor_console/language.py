"""Chinese or English: asked for, remembered, or what the browser prefers."""

from collections.abc import Mapping

LANGUAGES = ("en", "zh")
COOKIE = "candor_lang"


def choose(query: Mapping[str, str], cookies: Mapping[str, str], accept_language: str) -> str:
    """`?lang=` rules, then the cookie it set, then Accept-Language (RFC 9110, 12.5.4), then English."""
    for wish in (query.get("lang", ""), cookies.get(COOKIE, "")):
        if wish in LANGUAGES:
            return wish
    return _preferred(accept_language)


def _preferred(header: str) -> str:
    best, best_quality = "en", 0.0
    for item in header.split(","):
        tag, _, parameters = item.strip().partition(";")
        language = tag.strip().lower().split("-")[0]
        quality = _quality(parameters)
        if language in LANGUAGES and quality > best_quality:
            best, best_quality = language, quality
    return best


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
