"""The examples of docs/client.md are run as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from candor_client import new_id

from .models import ANSWER, models
from .standin import StandIn

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "client.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"<!-- example: (\w+) -->\n```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE))
SAID = {
    "record": r"[0-9a-f-]{36} AI generated\n",
    "openai": re.escape(ANSWER),
    "content": r"label:# The sky\n\n",
}


def test_every_python_example_is_run() -> None:
    assert PAGE.count("```python") == len(EXAMPLES)
    assert EXAMPLES.keys() == SAID.keys()


@pytest.mark.parametrize("name", SAID)
def test_an_example_does_what_the_page_says(
    name: str, service: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CANDOR_GENERATION_ADDRESS", service.address)
    monkeypatch.setenv("CANDOR_TOKEN", new_id())
    monkeypatch.setenv("CANDOR_SPOOL", str(tmp_path))
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    with models() as url:
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        exec(compile(EXAMPLES[name], name, "exec"), {})  # noqa: S102 - the page's own text
    assert re.fullmatch(SAID[name], capsys.readouterr().out)
    assert len(service.records) == (name != "content")
