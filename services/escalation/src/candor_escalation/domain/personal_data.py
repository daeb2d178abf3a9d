"""Finds what names a person in a text that is about to be published."""

import re

_EMAIL = re.compile(r"[\w.+-]{1,64}\s?[@＠]\s?[\w-]+(?:\.[\w-]+)+|[\w.+-]{1,64}[@＠][\w-]+")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_DATE = re.compile(r"(?<![0-9])\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?![0-9])")
# Letters of other scripts may stand next to a number: Chinese knows no spaces.
_NUMBER = re.compile(r"(?<![A-Za-z0-9_/])[+＋]?[(（]?\d(?:[ ().（）\u00a0-]{0,2}\d){6,40}[Xx]?(?![A-Za-z0-9_/])")


def personal_data(text: str, subject: str = "") -> str:
    """The kind of personal data that a text holds: e-mail address, number of a person or phone, account; else "".

    Seven digits or more, apart from dates and ids of records, are such a number; those of laws are shorter or carry a
    slash.

    Source: DSA 24
    """
    if subject and subject.casefold() in text.casefold():
        return "the user's account id"
    if _EMAIL.search(text):
        return "an e-mail address"
    if _NUMBER.search(_DATE.sub(" ", _UUID.sub(" ", text))):
        return "a telephone or identity number"
    return ""
