"""The register of holders."""

from dataclasses import replace

import pytest
from candor_rights.domain.holder import SERVICE_HOLDERS, Holder, HolderKind, Right, register
from candor_rights.domain.refusal import Refused

CORPUS = Holder("corpus-2026", "Training corpus", HolderKind.DATA_SET, frozenset({Right.DELETION}), "corpus:50051")


@pytest.mark.clause("GDPR 30(1)")
def test_gdpr_30_1_a_new_holder_is_registered() -> None:
    assert register(None, CORPUS) == CORPUS


@pytest.mark.clause("GDPR 30(1)")
@pytest.mark.parametrize("change", [{"name": "Renamed"}, {"rights": frozenset(Right)}, {"address": ""}])
def test_gdpr_30_1_name_rights_and_address_may_change(change: dict[str, object]) -> None:
    wanted = replace(CORPUS, **change)  # type: ignore[arg-type]
    assert register(CORPUS, wanted) == wanted


def test_a_holder_does_not_become_another_kind() -> None:
    with pytest.raises(Refused) as refused:
        register(CORPUS, replace(CORPUS, kind=HolderKind.SERVICE))
    assert (refused.value.reason, refused.value.field) == ("HOLDER_CONFLICT", "kind")


@pytest.mark.parametrize("own", SERVICE_HOLDERS, ids=lambda holder: holder.holder_id)
def test_no_setting_of_the_register_takes_a_service_out_of_a_deletion(own: Holder) -> None:
    assert register(None, own) == own
    for changed in (replace(own, rights=frozenset({Right.ACCESS})), replace(own, address="elsewhere:1")):
        with pytest.raises(Refused) as refused:
            register(own, changed)
        assert refused.value.reason == "HOLDER_CONFLICT"


def test_this_service_needs_no_task_of_its_own() -> None:
    with pytest.raises(Refused):
        register(None, Holder("rights", "Rights", HolderKind.SERVICE, frozenset(Right)))


def test_every_service_that_holds_personal_data_carries_out_every_right() -> None:
    assert {holder.holder_id for holder in SERVICE_HOLDERS} == {"consent", "escalation", "generation", "refutation"}
    assert all(holder.rights == frozenset(Right) for holder in SERVICE_HOLDERS)
