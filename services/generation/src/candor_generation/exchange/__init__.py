"""The feature library as a file: its own JSON, CSV, and STIX 2.1 indicators.

A file is read row by row. A row that cannot be taken is named with its number, the field and the reason, and the others
are taken; only a file that cannot be told into rows is refused as a whole. What a row may hold is what the schema of
`ProposeFeature` says; there is no second set of rules.

- JSON: `{"format": "candor-features/1", "features": [{...}]}`. A feature has `feature_id` (made from kind and value
  where absent), `kind` (term, pattern, near_text, image_hash), `value`, `category`, `decision` (review, block),
  `citation`, `exceptions`, `within_words`, `valid_from`, `valid_until` (RFC 3339), `source`, `reason`. What else an
  export says of a feature (`state`, `mode`, `standard`) is for people; an imported feature is a proposal.
- CSV (RFC 4180): the first line names the columns, as in JSON; exceptions are separated by `|`. A cell that a
  spreadsheet would take for a formula has an apostrophe in front, which reading takes away.
- STIX 2.1: a bundle of `indicator` objects whose `pattern_type` is `candor-<kind>` and whose `pattern` is the value,
  with the rest in `x_candor_*` properties. Type and value are the key. A `revoked` one is a tombstone: nothing is
  proposed, and a feature of that key is named so that a person can retire it.

Spec: STIX 2.1 4.7; RFC 4180
"""

from candor_generation.exchange.parting import Part, parts
from candor_generation.exchange.reading import BadRow, Defaults, Item, Proposal, Tombstone, read
from candor_generation.exchange.writing import Writer, writer

__all__ = ["BadRow", "Defaults", "Item", "Part", "Proposal", "Tombstone", "Writer", "parts", "read", "writer"]
