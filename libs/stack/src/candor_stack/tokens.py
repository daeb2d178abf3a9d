"""`candor token`: a bearer token of the local stack."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from candor_stack.errors import StackError
from candor_stack.home import home
from candor_stack.issuer import ROLES, LocalIssuer


def token(
    role: Annotated[list[str], typer.Option(help=f"One of {', '.join(ROLES)}; may be given again.")],
    subject: Annotated[str, typer.Option(help="Who calls: the token's `sub`.")] = "local-user",
    ttl: Annotated[int, typer.Option(help="Seconds until it expires.", min=1)] = 3600,
    folder: Annotated[Path | None, typer.Option(help="The stack's folder, instead of CANDOR_HOME or .candor.")] = None,
) -> None:
    """Print a bearer token for the local stack.

    Only services started by `candor up` accept it: they trust the key in the stack's folder.

    Example: curl -H "Authorization: Bearer $(candor token --role auditor)" http://...
    """
    try:
        issuer = LocalIssuer.open(_existing(folder or home()))
        typer.echo(issuer.token(subject, role, timedelta(seconds=ttl)))
    except StackError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


def _existing(folder: Path) -> Path:
    if not (folder / "keys").is_dir():
        raise StackError(f"No stack has run in {folder}. Start one with `candor up` (or `make up`).")
    return folder
