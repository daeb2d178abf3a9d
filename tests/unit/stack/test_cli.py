"""The `candor` command works with whatever plug-ins are installed, broken ones included."""

from importlib.metadata import EntryPoint

import candor_cli.main
import pytest
from candor_cli.main import GROUP, build
from typer.testing import CliRunner

TOKEN = EntryPoint("token", "candor_stack.tokens:token", GROUP)
BROKEN = EntryPoint("broken", "no_such_package:app", GROUP)
ODD = EntryPoint("odd", "candor_stack.issuer:ISSUER", GROUP)


def test_a_broken_plug_in_is_named_and_the_others_work(tmp_path: object) -> None:
    app, broken = build([TOKEN, BROKEN, ODD])
    assert [plugin.name for plugin in broken] == ["broken", "odd"]
    shown = CliRunner().invoke(app, ["--help"])
    assert "no_such_package" in shown.output
    used = CliRunner().invoke(app, ["token", "--role", "backend", "--folder", str(tmp_path)])
    assert used.exit_code == 1
    assert "candor up" in used.output


def test_the_help_teaches_what_is_there_and_nothing_else() -> None:
    app, _ = build([TOKEN])
    shown = CliRunner().invoke(app, ["--help"]).output
    assert "candor token --role backend" in shown
    assert "candor demo" not in shown


def test_the_version_is_printed() -> None:
    app, _ = build([TOKEN])
    shown = CliRunner().invoke(app, ["--version"])
    assert shown.exit_code == 0
    assert shown.output.startswith("candor ")


@pytest.mark.parametrize("arguments", [["nonsense"], ["token"]])
def test_a_wrong_use_is_an_error(arguments: list[str]) -> None:
    app, _ = build([TOKEN])
    assert CliRunner().invoke(app, arguments).exit_code == 2


def test_a_named_command_does_not_load_the_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(candor_cli.main, "entry_points", lambda group: [TOKEN, BROKEN])  # noqa: ARG005 - by keyword
    with pytest.raises(SystemExit):
        candor_cli.main.main(["token", "--help"])
    assert "broken" not in capsys.readouterr().err
    with pytest.raises(SystemExit, match="broken could not be loaded"):
        candor_cli.main.main(["broken"])
