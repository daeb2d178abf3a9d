"""`candor verify`: checks a record or an act against a checkpoint, or a whole log, with no access to any database.

It needs a proof file or the evidence (the answer of GetEvidence or GetActEvidence as JSON) and the log's verifier key,
and for what lies beyond one checkpoint the log's public tiles. Where a policy names witnesses, their quorum must have
cosigned every checkpoint. `python -m candor_generation.verify` is the same command without the rest of Candor.
"""

from candor_generation.verify.command import app

__all__ = ["app"]
