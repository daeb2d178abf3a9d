"""What the files say beside the form itself."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """One language's words. ``lang`` is its BCP 47 tag."""

    lang: str
    item: str
    content: str
    missing: str
    remark: str
    revision: str


WORDS: Mapping[str, Words] = {
    "zh": Words("zh-CN", "项目", "内容", "尚缺的项目", "补充说明", "第 {revision} 稿，{kind}"),
    "en": Words("en", "Item", "Content", "Still missing", "Remark", "Revision {revision}, {kind}"),
}
