"""The matching engine: a feature library, compiled, and texts, streams and images screened with it."""

from __future__ import annotations

from candor_generation.matcher.engine import Matcher, check
from candor_generation.matcher.pdq import Pdq
from candor_generation.matcher.pdq import of_file as pdq_of_file
from candor_generation.matcher.screened import ScreenedStream

__all__ = ["Matcher", "Pdq", "ScreenedStream", "check", "pdq_of_file"]
