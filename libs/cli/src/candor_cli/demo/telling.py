"""How the demo speaks: chapters, observed steps with their figures, and a summary table."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table


@dataclass
class Telling:
    """Writes to the terminal and keeps the figures for the end."""

    console: Console = field(default_factory=lambda: Console(highlight=False))
    figures: list[tuple[str, str]] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    def chapter(self, words: str) -> None:
        """Begin a chapter."""
        self.console.print(f"\n[bold]{words}[/bold]  [dim]{time.monotonic() - self.started:5.1f} s[/dim]")

    def ok(self, words: str) -> None:
        """Say what was observed."""
        self.console.print(f"  [green]ok[/green]  {words}", soft_wrap=True)

    def note(self, words: str) -> None:
        """Say something that is no observation."""
        self.console.print(f"      [dim]{words}[/dim]", soft_wrap=True)

    def failed(self, words: str) -> None:
        """Say what was not observed."""
        self.console.print(f"  [red]failed[/red]  {words}", soft_wrap=True)
        self.figures.append(("FAILED", words))

    def figure(self, what: str, value: object) -> None:
        """Keep a figure for the summary."""
        self.figures.append((what, str(value)))

    def progress(self) -> Progress:
        """Return a progress bar, to be used as a context manager."""
        columns = (TextColumn("      {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        return Progress(*columns, console=self.console, transient=True)

    def summary(self, console_url: str, users: Path) -> None:
        """Print every figure and where to look next."""
        table = Table("what was observed", title="Summary", title_justify="left")
        table.add_column("figure", overflow="fold")
        for what, value in self.figures:
            table.add_row(what, value)
        table.add_row("seconds in all", f"{time.monotonic() - self.started:.0f}")
        self.console.print()
        self.console.print(table)
        self.console.print(f"Console: {console_url}  (its local users are in {users})", soft_wrap=True)
