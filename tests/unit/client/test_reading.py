"""What is read of calls and answers of OpenAI's kind, in every form that they come in."""

from __future__ import annotations

from typing import Any

import pytest
from candor_client.openai.reading import CHAT, COMPLETIONS, RESPONSES, Texts


def outputs(kind: Any, *answers: Any) -> list[str]:
    texts = Texts()
    for answer in answers:
        kind.read(texts, answer)
    return texts.outputs()


def delta(index: int = 0, **said: Any) -> dict[str, Any]:
    return {"model": "m", "choices": [{"index": index, "delta": said}]}


def test_a_conversation_is_one_line_for_each_message() -> None:
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "What"}, "is this?"]},
        {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "look", "arguments": "{}"}}]},
        {"role": "tool", "content": "a cat"},
    ]
    assert CHAT.prompt({"messages": messages}) == (
        "system: Be brief.\nuser: What is this?\nassistant: [tool_call] look {}\ntool: a cat"
    )


def test_pictures_and_sounds_are_named_and_not_kept() -> None:
    parts: list[dict[str, Any]] = [
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
        {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
    ]
    prompt = CHAT.prompt({"messages": [{"role": "user", "content": parts}]})
    assert "AAAA" not in prompt
    assert prompt.startswith("user: [image_url https://example.com/a.png] [image_url sha256:")
    assert prompt.count("sha256:") == 3


def test_chunks_of_choices_that_take_turns_are_told_apart() -> None:
    chunks = [delta(0, content="a"), delta(1, content="x"), delta(0, content="b"), delta(1, content="y")]
    assert outputs(CHAT, *chunks, delta(0)) == ["ab", "xy"]


def test_reasoning_refusals_and_the_transcript_of_sound_are_outputs() -> None:
    chunks = [delta(reasoning_content="Hm"), delta(reasoning_content="."), delta(content="Yes")]
    assert outputs(CHAT, *chunks) == ["Hm.\n\nYes"]
    assert outputs(CHAT, delta(refusal="I "), delta(refusal="cannot")) == ["I cannot"]
    assert outputs(CHAT, {"choices": [{"message": {"audio": {"transcript": "spoken"}}}]}) == ["spoken"]


def test_calls_of_tools_are_put_together_from_their_pieces() -> None:
    def piece(**function: str) -> dict[str, Any]:
        return delta(tool_calls=[{"index": 0, "function": function}])

    assert outputs(CHAT, piece(name="look", arguments=""), piece(arguments='{"at":'), piece(arguments='"sky"}')) == [
        '[tool_call] look {"at":"sky"}'
    ]


@pytest.mark.parametrize("nothing", [{}, {"choices": []}, {"choices": None}, delta(), delta(content="")])
def test_an_answer_without_text_is_no_generation(nothing: dict[str, Any]) -> None:
    assert outputs(CHAT, nothing) == []


def test_a_response_that_ends_is_read_whole_and_one_that_breaks_by_its_pieces() -> None:
    pieces = [{"type": "response.output_text.delta", "output_index": 0, "delta": text} for text in ("a", "b")]
    item = {"type": "message", "content": [{"type": "output_text", "text": "ab"}]}
    whole = {"type": "response.completed", "response": {"model": "m", "output": [item]}}
    started = {"type": "response.created", "response": {"model": "m", "output": []}}
    assert outputs(RESPONSES, started, *pieces) == ["ab"]
    assert outputs(RESPONSES, started, *pieces, whole) == ["ab"]


def test_a_response_tells_reasoning_and_calls() -> None:
    output: list[dict[str, Any]] = [
        {"type": "reasoning", "summary": [{"text": "Hm."}]},
        {"type": "function_call", "name": "look", "arguments": "{}"},
        {"type": "message", "content": [{"type": "refusal", "refusal": "No."}]},
    ]
    assert outputs(RESPONSES, {"model": "m", "output": output}) == ["Hm.\n\n[tool_call] look {}\n\nNo."]


def test_what_a_response_is_asked() -> None:
    given: list[dict[str, Any]] = [
        {"role": "user", "content": [{"type": "input_text", "text": "Why?"}]},
        {"type": "function_call_output", "output": "blue"},
    ]
    assert RESPONSES.prompt({"input": given}) == "user: Why?\nfunction_call_output: blue"


def test_completions() -> None:
    assert COMPLETIONS.prompt({"prompt": ["a", "b"]}) == '["a", "b"]'
    assert outputs(COMPLETIONS, {"choices": [{"index": 0, "text": "x"}, {"index": 1, "text": "y"}]}) == ["x", "y"]
