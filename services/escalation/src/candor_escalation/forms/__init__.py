"""A report as a file: plain text, HTML, PDF, DOCX.

Every file is made from the same paper, holds no time of its making and nothing random: the same revision gives the same
bytes, so that the SHA-256 on record can be computed again. Text from facts is put in place as text; no format reads it
as markup.
"""

import hashlib
from collections.abc import Callable, Mapping

from candor_escalation.domain.paper import paper
from candor_escalation.domain.report import Draft, File
from candor_escalation.forms import html, pdf, word

TEXT, HTML, PDF, DOCX = "text", "html", "pdf", "docx"

_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_MEDIA: Mapping[str, tuple[str, str]] = {
    TEXT: ("text/plain", "txt"),
    HTML: ("text/html", "html"),
    PDF: ("application/pdf", "pdf"),
    DOCX: (_DOCX, "docx"),
}
_RENDER: Mapping[str, Callable[[Draft], bytes]] = {
    TEXT: lambda draft: draft.text.encode(),
    HTML: lambda draft: html.render(paper(draft)),
    PDF: lambda draft: pdf.render(paper(draft), draft.drafted_at),
    DOCX: lambda draft: word.render(paper(draft), draft.drafted_at),
}


def render(draft: Draft, file_format: str) -> File:
    """A draft as a file; the format is TEXT, HTML, PDF or DOCX."""
    media_type, extension = _MEDIA[file_format]
    content = _RENDER[file_format](draft)
    what = "DRILL-no-report" if draft.drill else "report"
    name = f"{what}-{draft.clock_id}-{draft.revision}.{draft.locale}.{extension}"
    return File(name, media_type, content, hashlib.sha256(content).digest())
