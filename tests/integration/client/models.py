"""An HTTP server that answers as OpenAI's does: chat completions, responses, completions; whole and as events."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PIECES = ["Air ", "scatters ", "blue ", "light ", "more."]
ANSWER = "".join(PIECES)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        make = {"/v1/chat/completions": _chat, "/v1/responses": _response, "/v1/completions": _completion}[self.path]
        if asked["model"] == "refuses":
            self._send(400, "application/json", json.dumps({"error": {"message": "no"}}).encode())
        elif asked.get("stream"):
            self._stream(make(asked, streamed=True), asked["model"])
        else:
            self._send(200, "application/json", json.dumps(make(asked, streamed=False)).encode())

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, events: list[dict[str, Any]], model: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number, event in enumerate(events):
            if model == "breaks" and number == 3:
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return
            name = f"event: {event['type']}\n" if "type" in event else ""
            self._chunk(f"{name}data: {json.dumps(event)}\n\n".encode())
        self._chunk(b"data: [DONE]\n\n")
        self._chunk(b"")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


def _chat(asked: dict[str, Any], *, streamed: bool) -> Any:
    head = {"id": "c", "created": 1, "model": asked["model"]}
    if streamed:
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}, *({"content": piece} for piece in PIECES)]
        choices: list[dict[str, Any]] = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
        last: dict[str, Any] = {"index": 0, "delta": {}, "finish_reason": "stop"}
        return [{**head, "object": "chat.completion.chunk", "choices": [choice]} for choice in [*choices, last]]
    messages: list[dict[str, Any]] = [
        {"role": "assistant", "content": f"{ANSWER}{number or ''}"} for number in range(asked.get("n") or 1)
    ]
    if asked.get("tools"):
        call = {"id": "t", "type": "function", "function": {"name": "look", "arguments": '{"at":"sky"}'}}
        messages = [{"role": "assistant", "content": None, "tool_calls": [call]}]
    answers = [{"index": index, "message": said, "finish_reason": "stop"} for index, said in enumerate(messages)]
    return {**head, "object": "chat.completion", "choices": answers}


def _response(asked: dict[str, Any], *, streamed: bool) -> Any:
    text = {"type": "output_text", "text": ANSWER, "annotations": []}
    item = {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [text]}
    whole = {
        "id": "r", "object": "response", "created_at": 1, "model": asked["model"], "status": "completed",
        "output": [item], "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
    }  # fmt: skip
    if not streamed:
        return whole
    place = {"item_id": "m", "output_index": 0, "content_index": 0}
    started = {**whole, "status": "in_progress", "output": []}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": started},
        {"type": "response.output_item.added", "output_index": 0, "item": {**item, "content": []}},
        {"type": "response.content_part.added", **place, "part": {**text, "text": ""}},
        *({"type": "response.output_text.delta", **place, "delta": piece, "logprobs": []} for piece in PIECES),
        {"type": "response.output_text.done", **place, "text": ANSWER, "logprobs": []},
        {"type": "response.completed", "response": whole},
    ]
    return [{**event, "sequence_number": number} for number, event in enumerate(events)]


def _completion(asked: dict[str, Any], *, streamed: bool) -> Any:
    head = {"id": "c", "object": "text_completion", "created": 1, "model": asked["model"]}
    said = PIECES if streamed else [ANSWER]
    answers = [{**head, "choices": [{"index": 0, "text": text, "finish_reason": None}]} for text in said]
    return answers if streamed else answers[0]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients here leave in the middle."""


@contextmanager
def models() -> Iterator[str]:
    """Serve; yields the base URL for a client."""
    server = _Server(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
