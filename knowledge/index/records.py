"""What is indexed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property


class Kind(StrEnum):
    """What a record is: a piece of a source, or a way in which people ask for a topic."""

    CLAUSE = "clause"
    SAMPLE = "sample"


@dataclass(frozen=True)
class Record:
    """One text of the index.

    Args:
        id: Stable and unique, e.g. "clause:notice:四（一）" or "sample:filing.where:3".
        ref: What a hit leads to: the clause's id or the topic's id.
        text: What is encoded and segmented.
        digest: Of everything the record stands for; empty: of the text alone.
    """

    id: str
    kind: Kind
    ref: str
    text: str
    digest: str = ""

    @cached_property
    def mark(self) -> str:
        """Changes when the stored record must be written anew."""
        return _hash(self.kind, self.ref, self.text, self.digest)

    @cached_property
    def key(self) -> str:
        """Of what the vector depends on, besides the encoder."""
        return _hash(self.kind, self.text)


def _hash(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "replace")).hexdigest()[:32]


def digest_of(records: Iterable[Record]) -> str:
    """One digest of all records in their order, ids and contents."""
    return _hash(*(part for record in records for part in (record.id, record.mark)))
