"""Screening before an answer is shown (Deep Synthesis 10), by the running service."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from candor.generation.v1 import model_pb2, screening_pb2_grpc, service_pb2
from candor.generation.v1.screening_pb2 import Pdq, ScreenImageRequest, ScreenRequest, ScreenStreamRequest
from candor_cli.session import command_id

from .backend import Backend, refusal, until

pytestmark = pytest.mark.clause("Deep Synthesis 10")


def stub(backend: Backend) -> screening_pb2_grpc.ScreeningServiceAsyncStub:
    return screening_pb2_grpc.ScreeningServiceStub(backend.deployment.channel("generation", "backend"))


async def until_screened_so(backend: Backend, text: str, decision: int) -> None:
    """Wait until a text is screened so, without a record or a restart in between."""

    async def is_so() -> bool:
        return (await stub(backend).Screen(ScreenRequest(output=text))).verdict.decision == decision

    await until(is_so)


async def test_a_change_of_the_library_screens_without_a_restart(backend: Backend) -> None:
    # Signs are read over beside letters of a script that is written without spaces.
    word = backend.word
    text = f"据说 谣*言{word} 是真的"
    await backend.admit(f"f-{backend.word}", f"谣言{word}")
    await until_screened_so(backend, text, model_pb2.DECISION_REVIEW)
    answer = await stub(backend).Screen(ScreenRequest(output=text))
    (hit,) = answer.verdict.hits
    assert (hit.feature_id, text[hit.start : hit.end]) == (f"f-{backend.word}", f"谣*言{word}")
    listed = await backend.alice.GetLibrary(service_pb2.GetLibraryRequest())
    assert (answer.verdict.library_digest, answer.library_version) == (listed.library_digest, listed.version)
    await backend.alice.RetireFeature(
        service_pb2.RetireFeatureRequest(command_id=command_id(), feature_id=f"f-{backend.word}", reason="over")
    )
    await until_screened_so(backend, text, model_pb2.DECISION_ALLOW)


async def test_a_term_that_chunks_cut_in_two_is_found(backend: Backend) -> None:
    await backend.admit(f"f-{backend.word}", f"谣言{backend.word}")
    await until_screened_so(backend, f"谣言{backend.word}", model_pb2.DECISION_REVIEW)

    async def requests() -> AsyncIterator[ScreenStreamRequest]:
        for chunk in ("据说谣", f"言{backend.word[:5]}", f"{backend.word[5:]}。", "是真的"):
            yield ScreenStreamRequest(chunk=chunk)

    answers = [answer async for answer in stub(backend).ScreenStream(requests())]
    assert [answer.final for answer in answers] == [False, False, False, False, True]
    assert [answer.clear_until for answer in answers[:2]] == [2, 2]
    (hit,) = answers[-1].verdict.hits
    assert (hit.start, hit.end) == (2, 4 + len(backend.word))


async def test_images_are_screened_and_broken_ones_refused(backend: Backend) -> None:
    answer = await stub(backend).ScreenImage(ScreenImageRequest(pdq=Pdq(hash="0123456789abcdef" * 4, quality=90)))
    assert answer.verdict.decision == model_pb2.DECISION_ALLOW
    assert await refusal(stub(backend).ScreenImage(ScreenImageRequest(image=b"no image"))) == "IMAGE_INVALID"
