"""GB 45438-2025: the label of generated content."""

from __future__ import annotations

import dataclasses
import json
import re

import pytest
from candor_generation.domain import label
from candor_generation.domain.refusal import Refused
from hypothesis import given
from hypothesis import strategies as st

REAL_CODE = "001191110102MAD55U9H0F10002"
ID = "01933b2e-7f00-7000-8000-000000000001"


def made(locale: str = "zh-CN", *, explicit: bool = True) -> label.Label:
    return label.make(ID, REAL_CODE, locale, integrity="v1.bG9n.0a0b0c0d.c2ln", explicit=explicit)


@pytest.mark.clause("GB 45438-2025 Annex E")
def test_gb_45438_annex_e_seven_keys_all_strings_under_aigc() -> None:
    assert json.loads(made().json) == {
        "AIGC": {
            "Label": "1",
            "ContentProducer": REAL_CODE,
            "ProduceID": ID,
            "ReservedCode1": "v1.bG9n.0a0b0c0d.c2ln",
            "ContentPropagator": REAL_CODE,
            "PropagateID": ID,
            "ReservedCode2": "",
        }
    }


@pytest.mark.clause("GB 45438-2025 Annex E")
def test_gb_45438_annex_e_keys_stand_in_the_order_of_the_standard() -> None:
    order = [
        "Label",
        "ContentProducer",
        "ProduceID",
        "ReservedCode1",
        "ContentPropagator",
        "PropagateID",
        "ReservedCode2",
    ]
    assert list(json.loads(made().json)["AIGC"]) == order


@pytest.mark.clause("GB 45438-2025 Annex E")
def test_gb_45438_annex_e_values_keep_to_the_characters_allowed() -> None:
    for value in json.loads(made().json)["AIGC"].values():
        assert re.fullmatch(r"[\x21\x23-\x5b\x5d-\x7e]*", value)


@pytest.mark.clause("Generative AI Labelling Measures 5")
def test_labelling_measures_5_metadata_names_attribute_provider_and_number() -> None:
    assert (made().label, made().content_producer, made().produce_id) == ("1", REAL_CODE, ID)


@pytest.mark.clause("GB 45438-2025 5.1")
@pytest.mark.parametrize("locale", ["zh", "zh-CN", "zh-Hant-TW", "ZH-hk"])
def test_gb_45438_5_1_explicit_text_in_chinese_has_both_elements(locale: str) -> None:
    text = label.explicit_text(locale)
    assert "人工智能" in text or "AI" in text
    assert "生成" in text or "合成" in text


@pytest.mark.clause("GB 45438-2025 5.1")
@pytest.mark.parametrize("locale", ["en", "en-US", "de-DE", "zha"])
def test_gb_45438_5_1_explicit_text_elsewhere_has_both_elements(locale: str) -> None:
    text = label.explicit_text(locale)
    assert "AI" in text
    assert "generated" in text


@pytest.mark.clause("GB 45438-2025 5.1")
def test_gb_45438_5_1_a_deployment_may_show_its_own_text() -> None:
    assert made(explicit=False).explicit_text == ""


@pytest.mark.clause("TC260-PG-20252A", "GB 32100-2015")
def test_tc260_pg_20252a_a_real_provider_code_is_taken() -> None:
    assert label.check_provider_code(REAL_CODE) == REAL_CODE
    assert len(REAL_CODE) == 27
    assert label.check_provider_code(label.UNASSIGNED_PROVIDER) == label.UNASSIGNED_PROVIDER


@pytest.mark.clause("TC260-PG-20252A")
@pytest.mark.parametrize(
    "code",
    [
        "",
        "example",
        REAL_CODE[:-1],
        REAL_CODE + "0",
        REAL_CODE.replace("0011", "0012", 1),
        REAL_CODE[:22] + "2" + REAL_CODE[23:],
        REAL_CODE.replace("U9", "I9"),
        REAL_CODE[:-1] + "a",
    ],
)
def test_tc260_pg_20252a_malformed_codes(code: str) -> None:
    with pytest.raises(ValueError, match="provider code"):
        label.check_provider_code(code)


@pytest.mark.clause("GB 32100-2015")
@pytest.mark.parametrize("place", range(4, 22))
def test_gb_32100_a_mistyped_character_is_found(place: int) -> None:
    other = "1" if REAL_CODE[place] != "1" else "2"
    with pytest.raises(ValueError, match="check character"):
        label.check_provider_code(REAL_CODE[:place] + other + REAL_CODE[place + 1 :])


OTHER = label.Label("1", "001191110102MAD55U9H0F1ABCD", "their-7", "sealed", "", "", "", "")
PASSING = label.propagator_code(REAL_CODE)


@pytest.mark.clause("TC260-PG-20252A")
def test_tc260_pg_20252a_a_disseminator_has_service_type_2() -> None:
    assert REAL_CODE[:22] + "2" + REAL_CODE[23:] == PASSING


@pytest.mark.clause("GB 45438-2025 Annex E")
@pytest.mark.parametrize("text", [made().json, made().bare, json.dumps(json.loads(made().json), indent=2)])
def test_gb_45438_annex_e_wrapped_and_bare_are_read(text: str) -> None:
    found = label.parse(text)
    assert found.problems == ()
    assert found.label is not None
    assert found.label.keys == made().keys


@pytest.mark.clause("GB 45438-2025 Annex E")
@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"Label": "4"}, "Label is none of 1, 2, 3"),
        ({"Label": 1}, "Label is no string"),
        ({"ProduceID": "a b"}, "ProduceID holds characters outside those of Annex E"),
        ({"ContentProducer": "某公司"}, "ContentProducer holds characters outside those of Annex E"),
        ({"ReservedCode2": None}, "ReservedCode2 is no string"),
        ({"More": "x"}, "there are keys beside the seven"),
    ],
)
def test_gb_45438_annex_e_what_is_wrong_is_named(change: dict[str, object], problem: str) -> None:
    found = label.parse(json.dumps({"AIGC": made().keys | change}))
    assert problem in found.problems
    assert found.label is not None


def test_gb_45438_annex_e_a_missing_key_is_named_and_empty() -> None:
    keys = made().keys
    del keys["PropagateID"]
    found = label.parse(json.dumps(keys))
    assert found.problems == ("PropagateID is missing",)
    assert found.label is not None
    assert found.label.propagate_id == ""


def test_gb_45438_annex_e_a_key_that_stands_twice_is_named() -> None:
    text = made().bare.replace('{"Label":"1"', '{"Label":"1","Label":"3"', 1)
    assert label.parse(text).problems == ("Label stands twice",)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", "AIGC", '{"AIGC":[]}', '{"AIGC":"x"}', "[" * 16_000, "x" * 20_000]
)
def test_what_is_no_label_is_said_to_be_none(text: str) -> None:
    found = label.parse(text)
    assert found.label is None
    assert len(found.problems) == 1


@given(
    st.one_of(st.text(), st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists).map(json.dumps))
)
def test_fuzz_any_text_is_read_without_error(text: str) -> None:
    assert label.parse(text).problems


values = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="\\"), max_size=40)


@given(st.fixed_dictionaries({key: values for key in made().keys if key != "Label"}))
def test_what_is_written_is_read_back(values: dict[str, str]) -> None:
    text = json.dumps({"AIGC": {"Label": "2"} | values})
    found = label.parse(text)
    assert found.problems == ()
    assert found.label is not None
    assert label.parse(found.label.json) == label.parse(found.label.bare) == found


@pytest.mark.clause("Generative AI Labelling Measures 6")
@pytest.mark.parametrize(
    ("had", "grounds", "attribute"),
    [
        ("1", label.Grounds.METADATA, "1"),
        ("2", label.Grounds.METADATA, "2"),
        ("3", label.Grounds.METADATA, "3"),
        ("1", label.Grounds.DECLARED, "1"),
        ("3", label.Grounds.DECLARED, "2"),
        ("2", label.Grounds.TRACES, "2"),
        (None, label.Grounds.DECLARED, "2"),
        (None, label.Grounds.TRACES, "3"),
    ],
)
def test_labelling_measures_6_the_attribute_follows_the_grounds(
    had: str | None, grounds: label.Grounds, attribute: str
) -> None:
    found = dataclasses.replace(OTHER, label=had) if had else None
    assert label.propagate(found, grounds, PASSING, "our-1", protection="p").label == attribute


@pytest.mark.clause("Generative AI Labelling Measures 6", "Generative AI Labelling Measures 10")
def test_labelling_measures_6_the_producers_part_is_kept_and_ours_added() -> None:
    passed = label.propagate(OTHER, label.Grounds.METADATA, PASSING, "our-1", protection="p")
    assert (passed.content_producer, passed.produce_id, passed.reserved_code1) == (
        OTHER.content_producer,
        OTHER.produce_id,
        OTHER.reserved_code1,
    )
    assert (passed.content_propagator, passed.propagate_id, passed.reserved_code2) == (PASSING, "our-1", "p")


@pytest.mark.clause("Generative AI Labelling Measures 6")
def test_labelling_measures_6_metadata_that_is_not_there_was_not_verified() -> None:
    with pytest.raises(Refused, match="LABEL_MISSING"):
        label.propagate(None, label.Grounds.METADATA, PASSING, "our-1", protection="p")


@pytest.mark.clause("Generative AI Labelling Measures 6", "GB 45438-2025 5.1")
def test_labelling_measures_6_each_attribute_has_its_own_words_with_both_elements() -> None:
    assert len(set(label.EXPLICIT_TEXTS)) == 6
    for text in label.EXPLICIT_TEXTS:
        assert "AI" in text
        assert "生成" in text or "generated" in text
