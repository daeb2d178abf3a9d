"""Every text stands in both languages, and every text a page asks for is there."""

import re
from importlib import resources
from string import Formatter

import pytest
from candor.escalation.v1 import model_pb2 as escalation
from candor.refutation.v1 import model_pb2 as refutation
from candor.rights.v1 import model_pb2 as rights
from candor_console import forms, language
from candor_console.texts import ALL, in_language
from google.protobuf.descriptor import EnumDescriptor

TEMPLATES = [
    path for path in (resources.files("candor_console") / "templates").iterdir() if path.name.endswith(".html")
]
SHOWN_ENUMS: list[EnumDescriptor] = [
    rights.Right.DESCRIPTOR,
    rights.Regime.DESCRIPTOR,
    rights.RequestState.DESCRIPTOR,
    rights.Outcome.DESCRIPTOR,
    escalation.IncidentState.DESCRIPTOR,
    escalation.ClockState.DESCRIPTOR,
    refutation.Verdict.DESCRIPTOR,
    refutation.Step.Kind.DESCRIPTOR,
]


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


@pytest.mark.parametrize("key", sorted(ALL))
def test_both_languages_say_the_same_with_the_same_fields(key: str) -> None:
    english, chinese = ALL[key]
    assert english
    assert chinese
    assert fields(english) == fields(chinese)


@pytest.mark.parametrize("enum", SHOWN_ENUMS, ids=lambda enum: enum.full_name)
def test_every_value_of_a_shown_enum_has_a_text(enum: EnumDescriptor) -> None:
    assert {value.name for value in enum.values} <= set(ALL)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_templates_use_only_texts_that_are_there(template: resources.abc.Traversable) -> None:
    used = set(re.findall(r"""\bt\(\s*["']([^"']+)["']\s*[,)]""", template.read_text(encoding="utf-8")))
    assert used <= set(ALL)


def test_a_name_that_data_brings_stands_for_itself_when_there_is_no_text() -> None:
    assert in_language("zh")("milestone.new_kind", default="new_kind") == "new_kind"


@pytest.mark.parametrize(
    ("query", "cookie", "header", "expected"),
    [
        ("", "", "", "en"),
        ("", "", "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("", "", "de,en;q=0.5,zh;q=0.9", "zh"),
        ("", "", "fr", "en"),
        ("", "", "zh;q=0, en;q=0.1", "en"),
        ("", "", "zh;q=loud", "en"),
        ("", "en", "zh", "en"),
        ("zh", "en", "en", "zh"),
        ("xx", "", "zh", "zh"),
    ],
)
def test_language(query: str, cookie: str, header: str, expected: str) -> None:
    assert language.choose({"lang": query}, {language.COOKIE: cookie}, header) == expected


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "requests",
        "",
        "/a\nb",
        "\t//x",
    ],
)
def test_signing_in_never_leads_elsewhere(target: str) -> None:
    assert forms.local_path(target) == "/"


def test_signing_in_leads_back() -> None:
    assert forms.local_path("/requests?all=1") == "/requests?all=1"
