"""A small pack to break in one place at a time."""

from __future__ import annotations

from pathlib import Path

PACK = """id: xx.law.1
version: "1"
kind: incident
jurisdiction: EU
title: {zh: 标题, en: Title}
citation: Law 1
source: the gazette
in_force: {from: 2026-01-01, to: null}
status: draft
evidence: {mark: U, checked: 2026-01-01}
counting: {rule: none, zone: UTC}
facts:
  persons: {type: number, zh: 人数, en: Persons}
trigger: kind == "leak" && persons > 5
obligations:
  - id: report
    title: {zh: 报告, en: Report}
    citation: Law 1(1)
    recipient: {zh: 机关, en: Authority}
    anchor: aware
    due: {n: 72, unit: hours}
    template: form
vectors:
  - name: a leak
    facts: {kind: leak, persons: 6}
    anchors: {aware: "2026-02-01T00:00:00Z"}
    expect:
      - {obligation: report, answer: "true", strict: "2026-02-04T00:00:00Z", latest: "2026-02-04T00:00:00Z"}
"""


def write(folder: Path, pack: str = PACK, zh: str = "人数：${persons}\n", en: str = "Persons: ${persons}\n") -> Path:
    """Write a folder of packs; return it."""
    (folder / "templates").mkdir(exist_ok=True)
    (folder / "xx.yaml").write_text(pack, "utf-8")
    (folder / "templates" / "form.zh.txt").write_text(zh, "utf-8")
    (folder / "templates" / "form.en.txt").write_text(en, "utf-8")
    return folder
