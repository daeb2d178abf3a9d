"""A report as every kind of file, hashed: run in processes of their own by test_report_paper.py."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from candor_escalation import forms
from candor_escalation.domain.draft import fill, written

TEMPLATE = "报告\n依据：${citation}\n\n一、原因\n${cause}\n"


def digests() -> list[str]:
    """One line per format."""
    filled = fill(["citation", "cause"], {"citation": "办法 <第四条>"}, {"cause": "原因"}, "zh")
    at = datetime(2026, 6, 1, 12, 0, 0, 123456, tzinfo=UTC)
    draft = written("01973000-0000-7000-8000-000000000002", 3, "zh", TEMPLATE, filled, {}, at, "li", remark="说明")
    time.sleep(2.1 if time.localtime().tm_gmtoff else 0)  # an archive's times have two seconds
    formats = (forms.TEXT, forms.HTML, forms.PDF, forms.DOCX)
    return [f"{name} sha256 {forms.render(draft, name).sha256.hex()}" for name in formats]
