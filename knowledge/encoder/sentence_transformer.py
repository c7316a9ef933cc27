"""Any model of sentence-transformers, for the setting `EMBEDDING_MODEL`. Needs the extra `models`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.encoder.base import EncoderError, Vectors

_BATCH = 32


class SentenceTransformerEncoder:
    """A sentence-transformers model, loaded at construction (seconds, and torch with it).

    Args:
        name: A local directory or a hub name such as "BAAI/bge-small-zh-v1.5".

    Raises:
        EncoderError: The extra is not installed, or the model cannot be found or read.
    """

    def __init__(self, name: str) -> None:
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise EncoderError(
                f"EMBEDDING_MODEL={name} needs the extra `models` (pip install '.[models]'); "
                "or unset EMBEDDING_MODEL to use the bundled encoder"
            ) from error
        try:
            self._model: Any = SentenceTransformer(name, device="cpu").float().eval()
        except Exception as error:  # hub, file and configuration errors have no common base
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise EncoderError(
                f"EMBEDDING_MODEL={name} cannot be loaded ({reason}); give a sentence-transformers "
                "directory or a hub name that this machine reaches, or unset it to use the bundled encoder"
            ) from error
        self.name = Path(name).name if Path(name).is_dir() else name
        self._passage = next((p for p in ("document", "passage") if self._model.prompts.get(p)), None)
        self._query = "query" if self._model.prompts.get("query") else None
        probe = self._run(["青岛市技术创新中心"], None)
        self.dimension = int(probe.shape[1])
        self.fingerprint = _fingerprint(name, probe)

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._run(texts, self._query)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        return self._run(texts, self._passage)

    def _run(self, texts: Sequence[str], prompt_name: str | None) -> Vectors:
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        vectors = self._model.encode(
            list(texts),
            prompt_name=prompt_name,
            batch_size=_BATCH,
            normalize_embeddings=True,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return np.asarray(vectors, dtype=np.float32)


def _fingerprint(name: str, probe: Vectors) -> str:
    """Of the name and of one text's vector: other weights give another vector, wherever they lie."""
    digest = hashlib.sha256(name.encode())
    digest.update(np.round(probe, 4).tobytes())
    return digest.hexdigest()[:32]
