"""Keys: the master key, the ring it wraps, one key per subject wrapped by the ring, and authenticated encryption.

A person is erased by destroying their key: whatever was sealed under it, or under a key it wraps, can no longer be
read. The master key and the ring can be changed without touching what was sealed.
"""

from candor_kit.keys.holds import HoldKeys
from candor_kit.keys.ingest import IngestKeys
from candor_kit.keys.master import LocalMaster, MasterKey, Masters, masters_of
from candor_kit.keys.ring import KeyRing, open_ring
from candor_kit.keys.rows import SubjectKey
from candor_kit.keys.sealing import KEY_BYTES, Cipher, new_key, open_sealed, seal
from candor_kit.keys.subjects import SubjectKeys

__all__ = [
    "KEY_BYTES",
    "Cipher",
    "HoldKeys",
    "IngestKeys",
    "KeyRing",
    "LocalMaster",
    "MasterKey",
    "Masters",
    "SubjectKey",
    "SubjectKeys",
    "masters_of",
    "new_key",
    "open_ring",
    "open_sealed",
    "seal",
]
