"""The quick start: vectors and word weights in one file, read in a few milliseconds.

A snapshot is made from the store of record and can be thrown away. `Vectors` of it are found by the key of a
record, so that an older snapshot, or one that a pack ships, saves the encoding of every text that stayed.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.encoder.base import Vectors
from knowledge.index.lexical import Lexicon
from knowledge.index.records import Kind

VERSION = 1
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Snapshot:
    """Everything that searching needs besides the records themselves.

    Attributes:
        records: Digest of the records, in the order of the rows.
        fingerprint: Of the encoder that made the vectors.
        keys: `Record.key` of each row.
        vectors: Unit vectors, one row a record.
        lexicons: Word weights of each kind, over its records in their order.
    """

    records: str
    fingerprint: str
    keys: Sequence[str]
    vectors: Vectors
    lexicons: dict[Kind, Lexicon]

    def save(self, path: Path) -> None:
        """Write to `path` at once or not at all.

        Raises:
            OSError: The folder cannot be written; an older snapshot stays as it was.
        """
        header = {"version": VERSION, "records": self.records, "fingerprint": self.fingerprint}
        arrays: dict[str, NDArray[np.generic]] = {
            "header": _bytes(json.dumps(header)),
            "keys": np.array([bytes.fromhex(key) for key in self.keys], dtype="S16"),
            "vectors": self.vectors.astype(np.float16),
        }
        for kind, lexicon in self.lexicons.items():
            arrays[f"{kind}.words"] = _bytes("\n".join(sorted(lexicon.words, key=lexicon.words.__getitem__)))
            arrays[f"{kind}.columns"] = np.array(sorted(lexicon.words.values()), dtype=np.int32)
            arrays[f"{kind}.weights"] = lexicon.weights.astype(np.float16)
            arrays[f"{kind}.rows"] = lexicon.rows
            arrays[f"{kind}.starts"] = lexicon.starts
            arrays[f"{kind}.size"] = np.array([lexicon.size])
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=path.name, suffix=".part", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                np.savez(file, **arrays)  # type: ignore[arg-type]
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    @classmethod
    def load(cls, path: Path) -> Snapshot | None:
        """The snapshot at `path`; None where there is none, or (logged) none that can be read."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                header = json.loads(_text(arrays["header"]))
                if header["version"] != VERSION:
                    return None
                keys = [key.ljust(16, b"\0").hex() for key in arrays["keys"].tolist()]
                vectors = arrays["vectors"].astype(np.float32)
                if vectors.ndim != 2 or len(vectors) != len(keys) or not np.isfinite(vectors).all():
                    raise ValueError("the vectors do not fit the records")
                lexicons = {
                    kind: Lexicon(
                        dict(
                            zip(
                                _lines(arrays[f"{kind}.words"]),
                                arrays[f"{kind}.columns"].tolist(),
                                strict=True,
                            )
                        ),
                        arrays[f"{kind}.weights"].astype(np.float32),
                        arrays[f"{kind}.rows"],
                        arrays[f"{kind}.starts"],
                        int(arrays[f"{kind}.size"][0]),
                    )
                    for kind in Kind
                }
        except FileNotFoundError:
            return None
        except (OSError, EOFError, KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
            _log.warning("index snapshot %s cannot be read (%s); it is made again", path, error)
            return None
        return cls(header["records"], header["fingerprint"], keys, vectors, lexicons)


def _bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode("utf-8"), dtype=np.uint8)


def _text(array: NDArray[np.uint8]) -> str:
    return array.tobytes().decode("utf-8")


def _lines(array: NDArray[np.uint8]) -> list[str]:
    text = _text(array)
    return text.split("\n") if text else []
