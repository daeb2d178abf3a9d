"""Small whole files of every format that a label is written to, made by programs that are not ours."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from functools import partial
from typing import Any

import docx
import openpyxl  # type: ignore[import-untyped]  # publishes no hints
import pikepdf
import pptx
from candor_generation.domain import label
from candor_generation.domain.label import Label
from PIL import Image

CODE = "001191110102MAD55U9H0F10002"
ID = "01933b2e-7f00-7000-8000-000000000001"


def a_label(content_id: str = ID) -> Label:
    return label.make(content_id, CODE, "zh-CN", integrity="v1.bG9n.0a0b0c0d.c2ln", explicit=False)


def picture(width: int = 64, height: int = 48, mode: str = "RGB") -> Image.Image:
    rng = random.Random(7)  # noqa: S311 - pixels that are the same in every run
    return Image.frombytes("RGB", (width, height), rng.randbytes(width * height * 3)).convert(mode)


def image_file(kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture().save(file, kind, **options)
    return file.getvalue()


def pdf_file(**options: Any) -> bytes:
    file = io.BytesIO()
    with pikepdf.new() as document:
        document.add_blank_page()
        document.docinfo["/Title"] = "Über (a) \\ title"
        document.save(file, **options)
    return file.getvalue()


def docx_file() -> bytes:
    file = io.BytesIO()
    document = docx.Document()
    document.add_paragraph("生成的文字")
    document.save(file)
    return file.getvalue()


def xlsx_file() -> bytes:
    file = io.BytesIO()
    book = openpyxl.Workbook()
    book.active["A1"] = "生成的文字"
    book.save(file)
    return file.getvalue()


def pptx_file() -> bytes:
    file = io.BytesIO()
    pptx.Presentation().save(file)
    return file.getvalue()


OFFICE = "application/vnd.openxmlformats-officedocument"
FILES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "text": ("text/plain", partial(str.encode, "第一行\nsecond line\n")),
    "markdown": ("text/markdown", partial(str.encode, "---\ntitle: 'a'\ntags: [x]\n---\n# Title\n")),
    "png": ("image/png", partial(image_file, "PNG")),
    "jpeg": ("image/jpeg", partial(image_file, "JPEG")),
    "webp-lossy": ("image/webp", partial(image_file, "WEBP")),
    "webp-lossless": ("image/webp", partial(image_file, "WEBP", lossless=True)),
    "pdf-table": ("application/pdf", pdf_file),
    "pdf-streams": (
        "application/pdf",
        partial(pdf_file, object_stream_mode=pikepdf.ObjectStreamMode.generate),
    ),
    "pdf-linear": ("application/pdf", partial(pdf_file, linearize=True)),
    "docx": (f"{OFFICE}.wordprocessingml.document", docx_file),
    "xlsx": (f"{OFFICE}.spreadsheetml.sheet", xlsx_file),
    "pptx": (f"{OFFICE}.presentationml.presentation", pptx_file),
}
