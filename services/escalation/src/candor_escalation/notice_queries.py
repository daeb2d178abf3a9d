"""Questions about notices, and what who gave them is given of them."""

import json
from collections.abc import AsyncIterator

from candor.escalation.v1 import notice_pb2
from candor.rights.v1 import holder_pb2
from candor_kit.query import Query

from candor_escalation import notice_codec
from candor_escalation.domain import notice_texts
from candor_escalation.domain.content_notice import Words
from candor_escalation.domain.refusal import Refused
from candor_escalation.sealing import Sealing, open_words
from candor_escalation.store import notices
from candor_escalation.store.notices import StoredNotice


class NoticeQueries:
    """Reads only. What names a person is opened only where the RPC records who looks."""

    def __init__(self, sealing: Sealing) -> None:
        self._sealing = sealing

    async def get_texts(
        self, query: Query, request: notice_pb2.GetNoticeTextsRequest
    ) -> notice_pb2.GetNoticeTextsResponse:
        """What who gave the notice is sent; the answer once it is decided.

        Source: DSA 16
        """
        stored, _ = await self._opened(query, request.notice_id)
        confirmation = notice_texts.of_receipt(stored.notice)
        found = notice_pb2.GetNoticeTextsResponse(confirmation_zh=confirmation.zh, confirmation_en=confirmation.en)
        if stored.notice.outcome:
            answer = notice_texts.of_decision(stored.notice, await self._reasons(query, stored))
            found.answer_zh, found.answer_en = answer.zh, answer.en
        return found

    async def get_notice(self, query: Query, request: notice_pb2.GetNoticeRequest) -> notice_pb2.GetNoticeResponse:
        """One notice with its words."""
        stored, words = await self._opened(query, request.notice_id)
        return notice_pb2.GetNoticeResponse(
            notice=notice_codec.notice_message(stored.notice),
            notifier=words.notifier,
            explanation=words.explanation,
            locations=words.locations.splitlines(),
            reasons=await self._reasons(query, stored),
            disposal_ids=await notices.disposals_of(query.connection, request.notice_id),
        )

    async def list_notices(
        self, query: Query, request: notice_pb2.ListNoticesRequest
    ) -> notice_pb2.ListNoticesResponse:
        """Notices, those of trusted flaggers in front.

        Source: DSA 22
        """
        found = await notices.listed(query.connection, open_only=request.open_only)
        return notice_pb2.ListNoticesResponse(notices=[notice_codec.notice_message(notice) for notice in found])

    async def export(self, query: Query, pseudonym: bytes) -> AsyncIterator[holder_pb2.ExportResponse]:
        """The notices that a person gave, with what was decided of them.

        Source: PIPL 45
        """
        for stored in await notices.of_person(query.connection, pseudonym):
            notice = stored.notice
            opened = await self._sealing.notices.open(query.connection, notice.notice_id, stored.wrapped)
            if opened is None:
                continue
            fields = opened | {
                "product": notice.product,
                "forms": [form.value for form in notice.forms],
                "category": notice.category,
                "generation_id": notice.generation_id,
                "outcome": notice.outcome,
                "reasons": await self._reasons(query, stored),
            }
            item = holder_pb2.ExportResponse(
                kind="notice", item_id=notice.notice_id, json=json.dumps(fields, ensure_ascii=False).encode()
            )
            item.occurred_at.FromDatetime(notice.received_at)
            yield item

    async def _opened(self, query: Query, notice_id: str) -> tuple[StoredNotice, Words]:
        """A notice with its words; one that was let go is as unknown as one that never was."""
        stored = await notices.find(query.connection, notice_id)
        opened = (
            await self._sealing.notices.open(query.connection, notice_id, stored.wrapped)
            if stored is not None
            else None
        )
        if stored is None or opened is None:
            raise Refused("NOTICE_UNKNOWN", "there is no such notice", field="notice_id")
        return stored, Words(**opened)

    async def _reasons(self, query: Query, stored: StoredNotice) -> str:
        notice_id = stored.notice.notice_id
        key = await self._sealing.notices.key_of(query.connection, notice_id, stored.wrapped)
        return open_words(key, notice_id, "reasons", stored.sealed_reasons, "notice")
