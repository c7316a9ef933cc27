"""What every encoder offers, and how it fails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
"""One row a text, of unit length, so that a dot product is a cosine."""


class EncoderError(Exception):
    """An encoder that cannot be loaded or run; the message says which, why, and what would help."""


@runtime_checkable
class Encoder(Protocol):
    """Turns sentences into unit vectors.

    Attributes:
        name: What a person calls the model.
        dimension: Length of a vector.
        fingerprint: Changes whenever the same text could get another vector; an index made with another
            fingerprint is stale.
    """

    @property
    def name(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    @property
    def fingerprint(self) -> str: ...

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of questions, one row a text, in order."""
        ...

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts that answer questions, one row a text, in order."""
        ...
