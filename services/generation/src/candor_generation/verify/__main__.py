"""The command by itself."""

import typer

from candor_generation.verify.command import app

typer.run(app)
