# ruff: noqa: INP001 - a script, not a package
"""Write domain/simplified.py: which traditional character is which simplified one, from OpenCC's dictionary.

uv run --with opencc==1.4.2 python services/generation/scripts/simplified.py
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

TARGET = Path(__file__).parents[1] / "src" / "candor_generation" / "domain" / "simplified.py"
PER_LINE = 25
HEAD = '''"""Traditional Chinese characters and the simplified ones that they are written as; generated, never edited.

Data: OpenCC 1.4.2, TSCharacters.txt, Copyright 2010-2026 Carbo Kuo and contributors, Apache License 2.0; the first
choice of each entry. Written by services/generation/scripts/simplified.py.
"""

_PAIRS = (
'''
TAIL = ''')

SIMPLIFIED = dict(zip(_PAIRS[::2], _PAIRS[1::2], strict=True))
"""Traditional character -> simplified character."""
'''


def pairs() -> list[str]:
    """Each entry that changes its character, as two characters; chains are followed to their end."""
    text = files("opencc").joinpath("dictionary/TSCharacters.txt").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines() if "\t" in line and not line.startswith("#")]
    first = {traditional: choices.split()[0] for traditional, choices in rows}
    first = {source: target for source, target in first.items() if source != target}
    return [source + _end(first, target) for source, target in first.items()]


def _end(first: dict[str, str], character: str) -> str:
    seen = {character}
    while (following := first.get(character)) is not None and following not in seen:
        seen.add(following)
        character = following
    return character


def main() -> None:
    """Write the module."""
    found = pairs()
    lines = ["".join(found[start : start + PER_LINE]) for start in range(0, len(found), PER_LINE)]
    TARGET.write_text(HEAD + "".join(f'    "{line}"\n' for line in lines) + TAIL, encoding="utf-8")


if __name__ == "__main__":
    main()
