"""GB 45438-2025: the label of generated content."""

from __future__ import annotations

import json
import re

import pytest
from candor_generation.domain import label

REAL_CODE = "001191110102MAD55U9H0F10002"
ID = "01933b2e-7f00-7000-8000-000000000001"


def made(locale: str = "zh-CN", *, explicit: bool = True) -> label.Label:
    return label.make(ID, REAL_CODE, locale, integrity="ab" * 32, explicit=explicit)


@pytest.mark.clause("GB 45438-2025 Annex E")
def test_gb_45438_annex_e_seven_keys_all_strings_under_aigc() -> None:
    assert json.loads(made().json) == {
        "AIGC": {
            "Label": "1",
            "ContentProducer": REAL_CODE,
            "ProduceID": ID,
            "ReservedCode1": "ab" * 32,
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
