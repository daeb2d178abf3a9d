"""`candor label`: writes a label into a file, or reads what a file says and whether it holds, without any service.

What is written is the label that the service handed out with the record; no key of the deployment is needed for either.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, BinaryIO, NoReturn

import typer

from candor_generation import labelkey, labelling
from candor_generation.carriers.base import PIECE, CarrierError
from candor_generation.domain import label, labelcode, note
from candor_generation.domain.label import Label
from candor_generation.domain.labelcode import LabelCode
from candor_generation.domain.refusal import Refused
from candor_generation.labelling import Reading
from candor_generation.marks import Place

app = typer.Typer(name="label", help="Write a label into a file, or read one.", no_args_is_help=True)

_TIMEOUT_SECONDS = 30
_LARGEST = 64 * 1024
_FAILED = 1
_USAGE = 2


@app.command()
def write(
    file: Annotated[Path, typer.Argument(help="The file as it was made.")],
    out: Annotated[Path, typer.Argument(help="The labelled file; it must not be there yet.")],
    label_file: Annotated[
        str, typer.Option("--label", metavar="FILE|JSON", help='The label as the service gave it, {"AIGC":…}.')
    ],
    explicit: Annotated[bool, typer.Option("--explicit", help="Also put the explicit label into the content.")] = False,
    words: Annotated[str, typer.Option(help="What the explicit label says; default: by --locale.")] = "",
    at: Annotated[Place, typer.Option(help="Where it stands in a text.")] = Place.END,
    locale: Annotated[str, typer.Option(help="Of those who see the content.")] = "zh-CN",
    font: Annotated[Path | None, typer.Option(help="A font with the letters of --words.")] = None,
    notice: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="What is spoken in sound after the rhythm: a WAV file of at most 30 seconds.",
        ),
    ] = None,
    supersede: Annotated[bool, typer.Option("--supersede", help="Replace a label of other content.")] = False,
    media_type: Annotated[str, typer.Option(help="Default: told by the file's first bytes.")] = "",
) -> None:
    """Write a file with its label.

    Exit code 0: written. 1: refused, the message says why. 2: wrong usage.
    """
    made = _label(label_file)
    with _refusing("write"), _opened(file) as source, labelling.spool() as labelled:
        reading = labelling.read(source, media_type)
        labelling.check_replaceable(reading, made, supersede=supersede)
        audible = None if notice is None else labelling.spoken(notice)
        mark = labelling.explicit_label(words, at, locale, made, font_file=font, audible=audible) if explicit else None
        labelling.write(source, labelled, reading.media_type, made, explicit=mark)
        _save(labelled, out)


@app.command()
def read(
    file: Annotated[Path, typer.Argument(help="The file that was found.")],
    vkey: Annotated[
        str | None,
        typer.Option(metavar="VKEY|FILE", help="The log's verifier key; without it no signature is checked."),
    ] = None,
    certificate: Annotated[
        list[str] | None, typer.Option(metavar="FILE|URL", help="The label key's certificate; may be given again.")
    ] = None,
    log_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Where the log serves certificates, without final slash.")
    ] = None,
    media_type: Annotated[str, typer.Option(help="Default: told by the file's first bytes.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print what is found as JSON.")] = False,
) -> None:
    """Say what a file says of itself, and with --vkey whether it holds.

    Exit code 0: one label, nothing wrong with it. 1: none, more, a broken one, or one whose signature does not hold.
    2: wrong usage, or a file that cannot be read.
    """
    with _refusing("read", _USAGE), _opened(file) as source:
        reading = labelling.read(source, media_type)
    report = _report(reading)
    if vkey is not None and reading.found:
        report |= _signature(reading, _vkey(vkey), certificate or [], log_url)
    _show(report, as_json)
    if len(reading.found) != 1 or reading.violations or report.get("signature", "holds") != "holds":
        raise typer.Exit(_FAILED)


def _report(reading: Reading) -> dict[str, Any]:
    found = [
        {"text": text, "label": one.label.keys if one.label else None, "problems": list(one.problems)}
        for text, one in reading.found
    ]
    return {"media_type": reading.media_type, "labels": found, "violations": reading.violations}


def _signature(reading: Reading, key: note.Vkey, given: list[str], log_url: str | None) -> dict[str, Any]:
    """Whether the signature of the first label holds, and what it leads to."""

    def verify(code: str, content_id: str) -> LabelCode:
        key_id = labelcode.parse(code).key_id.hex()
        sources = [*given, *([f"{log_url.rstrip('/')}/labelkey/{key_id}"] if log_url else [])]
        return labelkey.verify(code, content_id, [_text(source) for source in sources], key)

    first = reading.found[0][1]
    verdict = labelling.check(first, verify)
    if isinstance(verdict, LabelCode):
        return {
            "signature": "holds",
            "log": verdict.origin,
            "generation_id": first.label.produce_id if first.label else "",
        }
    return {
        "signature": "fails" if verdict else "absent",
        "detail": str(verdict or "the label carries no such signature"),
    }


def _show(report: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(report, indent=2, ensure_ascii=False))
        return
    for number, one in enumerate(report["labels"], 1):
        typer.echo(f"label {number}: {one['text']}")
    if not report["labels"]:
        typer.echo("no label")
    for violation in report["violations"]:
        typer.echo(f"wrong: {violation}")
    for name in ("signature", "log", "generation_id", "detail"):
        if name in report:
            typer.echo(f"{name.replace('_', ' ')}: {report[name]}")


def _label(given: str) -> Label:
    text = given if given.lstrip().startswith("{") else _text(given)
    found = label.parse(text)
    if found.label is None or found.problems:
        _usage(f"--label: {'; '.join(found.problems)}")
    return found.label


def _vkey(given: str) -> note.Vkey:
    path = Path(given)
    try:
        return note.parse_vkey(path.read_text(encoding="utf-8") if path.is_file() else given)
    except (note.NoteError, UnicodeDecodeError) as error:
        _usage(f"--vkey: {error}")


def _text(source: str) -> str:
    try:
        if not source.startswith(("http://", "https://")):
            return Path(source).read_text(encoding="utf-8")
        with urllib.request.urlopen(source, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 - the scheme is checked
            return bytes(answer.read(_LARGEST)).decode("utf-8")
    except (urllib.error.URLError, OSError, UnicodeDecodeError) as error:
        _usage(f"{source}: {getattr(error, 'reason', None) or error}")


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    try:
        source = file.open("rb")
    except OSError as error:
        _usage(f"{file}: {error.strerror}")
    with source:
        yield source


def _save(labelled: BinaryIO, out: Path) -> None:
    labelled.seek(0)
    try:
        with out.open("xb") as destination:
            while piece := labelled.read(PIECE):
                destination.write(piece)
    except FileExistsError:
        _usage(f"{out} is there already")


@contextmanager
def _refusing(command: str, code: int = _FAILED) -> Iterator[None]:
    try:
        yield
    except (CarrierError, Refused) as error:
        typer.echo(f"candor label {command}: {error.message}", err=True)
        raise typer.Exit(code) from error


def _usage(message: str) -> NoReturn:
    typer.echo(f"candor label: {message}", err=True)
    raise typer.Exit(_USAGE)
