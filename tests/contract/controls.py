"""Controls: which clause is carried out by which rule, and which test checks it.

A rule says its clause in its docstring, on a line `Source: PIPL 14` (several: `Source: PIPL 28; PIPL 29`). A test says
which clause it checks with `@pytest.mark.clause("PIPL 14")`. A policy pack says its clauses in its `citation` fields.
Everything is read, nothing is imported.

A clause is of a law, or of a protocol by which somebody outside holds us to our word; `BODIES` names them all. Where
code only reads or writes what others have specified (a file format, a transport, a table of characters), it says so on
a line `Spec: ...`, which is for its readers and no clause.

    python tests/contract/controls.py            what is missing, everywhere
    python tests/contract/controls.py consent    what is missing in one part
    python tests/contract/controls.py --write    writes docs/controls.md
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
PAGE = Path("docs/controls.md")
PACKS = "packs"
_HEAD = """# Controls

Which clause is carried out by which rule, and which tests check it. Generated from the code by
`python tests/contract/controls.py --write`; a test fails when this page, a rule's citation and the tests disagree.

A clause is of a law, or of a protocol by which somebody outside holds Candor to its word. The formats of files and
transports are no clauses; the code names them where it reads and writes them. Where a policy pack cites a law, it does
so in the law's own words.

"""
_TABLE = """
| Clause | Part | Rule | Test |
|---|---|---|---|
"""
BODIES = {
    "AI Act": "Regulation (EU) 2024/1689",
    "C2SP": "Community Cryptography Specification Project, the protocols of transparency logs",
    "CCPA": "California Code of Regulations, title 11, of the California Consumer Privacy Act",
    "Civil Code": "Civil Code of the PRC (民法典)",
    "DSA": "Regulation (EU) 2022/2065",
    "Deep Synthesis": "Provisions on Deep Synthesis of Internet Information Services (互联网信息服务深度合成管理规定)",
    "GB": "national standards of the PRC; GB 45438-2025 is binding by the labelling measures",
    "GDPR": "Regulation (EU) 2016/679",
    "Generative AI Labelling Measures": "Measures for Labelling AI-Generated Content (人工智能生成合成内容标识办法)",
    "Generative AI Measures": "Interim Measures for Generative AI Services (生成式人工智能服务管理暂行办法)",
    "PIPL": "Personal Information Protection Law of the PRC (个人信息保护法)",
    "Regulation 1182/71": "Regulation (EEC, Euratom) No 1182/71, how periods are counted",
    "RFC": "the RFCs that a proof rests on: trees (6962, 9162), commitments (5869), notes (4648), periods (9562)",
    "schema.org": "the vocabulary in which a public notice is read",
    "TC260-PG": "practice guides to GB 45438-2025 of the standardisation committee TC260",
}
"""Whose clauses a rule may cite, by the words that a clause begins with."""
_CLAUSE = re.compile(rf"(?:{'|'.join(re.escape(name) for name in BODIES)})[ -][^,]+")
_SOURCE = re.compile(r"\bSource:[ \t]*(.+)")
_Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, order=True)
class Entry:
    """A place that names a clause. `part` is a service, or "packs"; `place` is where, short enough for a table."""

    part: str
    clause: str
    place: str


@dataclass(frozen=True)
class Controls:
    """Everything that names a clause in a checkout."""

    rules: tuple[Entry, ...]
    tests: tuple[Entry, ...]

    def missing(self) -> list[str]:
        """Return what is wrong, one sentence each.

        A rule without a test; a test of a clause that no rule cites; a citation of what is neither law nor protocol.
        """
        tested = {(test.part, test.clause) for test in self.tests}
        tested_anywhere = {test.clause for test in self.tests}
        cited = {rule.clause for rule in self.rules}
        untested = [
            f"{rule.part}: {rule.place} cites {rule.clause!r}, which no test of {rule.part} names"
            for rule in self.rules
            if (rule.part, rule.clause) not in tested and not (rule.part == PACKS and rule.clause in tested_anywhere)
        ]
        unknown = [
            f"{test.part}: {test.place} names {test.clause!r}, which no rule cites"
            for test in self.tests
            if test.clause not in cited
        ]
        return [*untested, *unknown, *self._of_nobody()]

    def _of_nobody(self) -> list[str]:
        return [
            f"{rule.part}: {rule.place} cites {rule.clause!r}, which is not one clause of one of BODIES"
            for rule in self.rules
            if rule.part != PACKS and not _CLAUSE.fullmatch(rule.clause)
        ]

    def page(self) -> str:
        """Return docs/controls.md: one row per clause and part."""
        rows = sorted({(_natural(rule.clause), rule.part, rule.clause) for rule in self.rules})
        legend = "".join(f"- {name}: {title}\n" for name, title in BODIES.items())
        return _HEAD + legend + _TABLE + "".join(self._row(clause, part) for _, part, clause in rows)

    def _row(self, clause: str, part: str) -> str:
        rules = [rule.place for rule in self.rules if (rule.clause, rule.part) == (clause, part)]
        tests = [test.place for test in self.tests if test.clause == clause and part in {test.part, PACKS}]
        cells = ["<br>".join(f"`{place}`" for place in places) for places in (rules, tests)]
        return f"| {clause.replace('|', '&#124;')} | {part} | {cells[0]} | {cells[1]} |\n"


def collect(root: Path = ROOT) -> Controls:
    """Read a checkout."""
    rules = [*_code_rules(root), *_pack_rules(root)]
    return Controls(tuple(sorted(set(rules))), tuple(sorted({*_tests(root), *_pack_vectors(root)})))


def _natural(text: str) -> tuple[tuple[int, str], ...]:
    """Order PIPL 9 before PIPL 14."""
    return tuple((int(piece), "") if piece.isdigit() else (-1, piece) for piece in re.split(r"(\d+)", text))


def _code_rules(root: Path) -> Iterator[Entry]:
    for file in sorted([*root.glob("services/*/src/**/*.py"), *root.glob("libs/*/src/**/*.py")]):
        place = file.relative_to(root)
        for name, node in _named(ast.parse(file.read_text(encoding="utf-8"))):
            for line in _SOURCE.findall(ast.get_docstring(node) or ""):
                for clause in _clauses(line):
                    yield Entry(
                        place.parts[1], clause, ".".join([*place.with_suffix("").parts[4:], *filter(None, [name])])
                    )


def _clauses(line: str) -> list[str]:
    return [clause.strip().removesuffix(".") for clause in line.split(";") if clause.strip()]


def _named(node: _Documented, prefix: str = "") -> Iterator[tuple[str, _Documented]]:
    """Yield what can carry a docstring or a marker, with its dotted name; the module's is empty."""
    yield prefix, node
    for child in node.body:
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _named(child, f"{prefix}.{child.name}" if prefix else child.name)


def _tests(root: Path) -> Iterator[Entry]:
    for kind in ("unit", "integration"):
        for file in sorted(root.glob(f"tests/{kind}/*/**/test_*.py")):
            place = file.relative_to(root)
            module = ast.parse(file.read_text(encoding="utf-8"))
            for name, clause in _marked(module, _module_marks(module)):
                yield Entry(place.parts[2], clause, f"{kind}/{'/'.join(place.with_suffix('').parts[2:])}.{name}")


def _marked(scope: ast.Module | ast.ClassDef, inherited: Sequence[str], prefix: str = "") -> Iterator[tuple[str, str]]:
    for node in scope.body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        clauses = [*inherited, *(clause for mark in node.decorator_list for clause in _clauses_of(mark))]
        if isinstance(node, ast.ClassDef):
            yield from _marked(node, clauses, f"{node.name}.")
        elif node.name.startswith("test_"):
            yield from ((prefix + node.name, clause) for clause in clauses)


def _module_marks(module: ast.Module) -> list[str]:
    values = [
        node.value
        for node in module.body
        if isinstance(node, ast.Assign)
        and any(isinstance(to, ast.Name) and to.id == "pytestmark" for to in node.targets)
    ]
    marks = [mark for value in values for mark in (value.elts if isinstance(value, ast.List) else [value])]
    return [clause for mark in marks for clause in _clauses_of(mark)]


def _clauses_of(mark: ast.expr) -> list[str]:
    if not (isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.clause"):
        return []
    return [str(ast.literal_eval(argument)) for argument in mark.args]


def _packs(root: Path) -> Iterator[tuple[str, Any]]:
    reader = YAML(typ="safe", pure=True)
    for file in sorted(root.glob(f"{PACKS}/**/*.yaml")):
        yield file.relative_to(root / PACKS).as_posix(), reader.load(file.read_text(encoding="utf-8"))


def _pack_rules(root: Path) -> Iterator[Entry]:
    for place, pack in _packs(root):
        for name, clause in _citations(pack, ""):
            yield Entry(PACKS, clause, f"{place}{name and ': ' + name}")


def _citations(node: object, name: str) -> Iterator[tuple[str, str]]:
    """Yield every `citation` with the id of the mapping that it stands in."""
    if isinstance(node, dict):
        inner = str(node.get("id", name))
        if isinstance(node.get("citation"), str):
            yield inner, node["citation"]
        for child in node.values():
            yield from _citations(child, inner)
    elif isinstance(node, list):
        for child in node:
            yield from _citations(child, name)


def _pack_vectors(root: Path) -> Iterator[Entry]:
    """A pack's own test vectors check the clauses that the pack cites."""
    for place, pack in _packs(root):
        if isinstance(pack, dict) and (pack.get("vectors") or pack.get("tests")):
            for _, clause in _citations(pack, ""):
                yield Entry(PACKS, clause, f"{place}: vectors")


def main(arguments: Sequence[str]) -> int:
    """Write the page, or list what is missing; 1 when something is."""
    controls = collect()
    if "--write" in arguments:
        (ROOT / PAGE).write_text(controls.page(), encoding="utf-8")
    wanted = [argument for argument in arguments if not argument.startswith("-")]
    missing = [line for line in controls.missing() if not wanted or line.split(":")[0] in wanted]
    sys.stdout.write("".join(f"{line}\n" for line in missing))
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
