"""Who looked at a person's data: one row a call, and the RPC that shows them."""

from __future__ import annotations

import json
from typing import Any

from candor.edge.v1 import views_pb2
from google.protobuf import json_format
from google.protobuf.message import Message

from candor_kit.api import Api, Method
from candor_kit.errors import EDGE
from candor_kit.keys import SubjectKeys
from candor_kit.query import Query
from candor_kit.transaction import Caller, Transactions

_PAGE = 100


class Views:
    """Writes and lists the views of one service."""

    def __init__(self, transactions: Transactions, keys: SubjectKeys) -> None:
        self._transactions = transactions
        self._keys = keys

    async def record(self, method: Method, request: Message, caller: Caller, result: str) -> None:
        """Put a view on record; where that fails the answer must not leave."""
        async with self._transactions.open(caller) as tx:
            await tx.connection.execute(
                "INSERT INTO kit_view (at, viewer, method, request, result) VALUES (%s, %s, %s, %s, %s)",
                (tx.now, caller.name, method.path.removeprefix("/"), self._described(request), result),
            )

    def _described(self, request: Message) -> str:
        fields: dict[str, Any] = json_format.MessageToDict(request)
        if "subject" in fields:
            fields["subject"] = self._keys.pseudonym(fields["subject"]).hex()
        return json.dumps(fields, sort_keys=True)

    def api(self) -> Api:
        """Return the RPCs of candor.edge.v1.ViewService."""
        return Api(
            views_pb2.DESCRIPTOR.services_by_name["ViewService"],
            queries={"ListViews": self._list},
        )

    @staticmethod
    async def _list(query: Query, request: views_pb2.ListViewsRequest) -> views_pb2.ListViewsResponse:
        size = request.page_size or _PAGE
        cursor = await query.connection.execute(
            "SELECT id, at, viewer, method, request, result FROM kit_view WHERE id < %s ORDER BY id DESC LIMIT %s",
            (_before(request.page_token), size),
        )
        rows = await cursor.fetchall()
        reply = views_pb2.ListViewsResponse(next_page_token=str(rows[-1]["id"]) if len(rows) == size else "")
        for row in rows:
            view = reply.views.add(
                viewer=row["viewer"], method=row["method"], request=row["request"], result=row["result"]
            )
            view.at.FromDatetime(row["at"])
        return reply


def _before(token: str) -> int:
    if not token:
        return 2**63 - 1
    if not token.isdecimal():
        raise EDGE.refusal("INVALID_FIELD", "page_token must be one that an answer gave", field="page_token")
    return int(token)
