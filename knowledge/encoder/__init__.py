"""Sentences as vectors. The only home of a model runtime; importing this package loads none.

`load_encoder(None)` gives the bundled encoder (onnxruntime and tokenizers, no torch), `load_encoder(name)`
any sentence-transformers directory or hub name, or a folder that `scripts/export_encoder.py` wrote.
LangChain's face of it is `knowledge.encoder.embeddings`, apart, so that answering imports no LangChain.
"""

from __future__ import annotations

from pathlib import Path

from knowledge.encoder.base import Encoder, EncoderError, Vectors

__all__ = ["BUNDLED", "Encoder", "EncoderError", "Vectors", "load_encoder"]

BUNDLED = Path(__file__).resolve().parent / "model"
"""Folder of the encoder that comes with the project."""


def load_encoder(name: str | None = None) -> Encoder:
    """The encoder that the setting `EMBEDDING_MODEL` names; None or empty: the bundled one.

    Raises:
        EncoderError: It cannot be loaded; the message says what would help.
    """
    folder = Path(name).expanduser() if name else BUNDLED
    if not name or (folder / "model.onnx").is_file():
        from knowledge.encoder.onnx import OnnxEncoder

        return OnnxEncoder(folder)
    from knowledge.encoder.sentence_transformer import SentenceTransformerEncoder

    return SentenceTransformerEncoder(name)
