"""The bundled encoder: an exported model, run by onnxruntime and tokenizers on one thread."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from tokenizers import Tokenizer

from knowledge.encoder.base import EncoderError, Vectors

_REPAIR = "run scripts/export_encoder.py again or restore the folder, or unset EMBEDDING_MODEL"
_LONGEST = 4000
_PARALLEL_FROM = 64


class ModelConfig(BaseModel):
    """config.json, beside model.onnx. `files`: size in bytes of each file that the digest is over."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    dimension: int = Field(gt=0)
    max_tokens: int = Field(gt=2)
    query_prompt: str = ""
    passage_prompt: str = ""
    digest: str = Field(min_length=16)
    files: dict[str, int] = Field(min_length=1)


class OnnxEncoder:
    """An exported model. Safe to call from several threads at once.

    Texts are encoded one by one: dynamic quantisation scales by the whole batch, so in a batch a text's
    vector would depend on its neighbours (cosine 0.995), and a question equal to a sample would not meet it.
    Many texts are spread over the processors instead.

    Args:
        folder: What `scripts/export_encoder.py` wrote.

    Raises:
        EncoderError: A file is missing, damaged, or belongs to another export.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._config = _read_config(folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            self._session = onnxruntime.InferenceSession(
                str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # both libraries raise bare exceptions of their own
            raise EncoderError(f"encoder {folder}: cannot be loaded ({error}); {_REPAIR}") from error
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(self._config.max_tokens)

    @property
    def name(self) -> str:
        return self._config.name

    @property
    def dimension(self) -> int:
        return self._config.dimension

    @property
    def fingerprint(self) -> str:
        return self._config.digest[:32]

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._encode(self._config.query_prompt, texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        return self._encode(self._config.passage_prompt, texts)

    def verify(self) -> None:
        """Read every byte and hold it against the digest of the export (about 50 ms, for `doctor`).

        Raises:
            EncoderError: A file was changed since it was exported.
        """
        digest = hashlib.sha256()
        for name in self._config.files:
            digest.update((self._folder / name).read_bytes())
        if digest.hexdigest() != self._config.digest:
            raise EncoderError(f"encoder {self._folder}: its files were changed after the export; {_REPAIR}")

    def _encode(self, prompt: str, texts: Sequence[str]) -> Vectors:
        # The tokenizer cuts at max_tokens; cutting characters first keeps a huge text from costing time.
        prompted = [prompt + text[:_LONGEST] for text in texts]
        if len(prompted) < _PARALLEL_FROM:
            rows = [self._one(text) for text in prompted]
        else:
            with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
                rows = list(pool.map(self._one, prompted))
        return np.array(rows, dtype=np.float32).reshape(len(rows), self.dimension)

    def _one(self, text: str) -> Vectors:
        ids = np.array([self._tokenizer.encode(text).ids], dtype=np.int64)
        feed: dict[str, Any] = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        try:
            vector: Vectors = self._session.run(None, feed)[0][0]
        except Exception as error:  # onnxruntime's exceptions share no public base
            raise EncoderError(f"encoder {self._folder}: cannot be run ({error}); {_REPAIR}") from error
        return vector


def _read_config(folder: Path) -> ModelConfig:
    path = folder / "config.json"
    try:
        config = ModelConfig.model_validate_json(path.read_bytes())
    except OSError as error:
        raise EncoderError(f"encoder {folder}: cannot read config.json ({error.strerror}); {_REPAIR}") from error
    except ValidationError as error:
        found = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise EncoderError(f"encoder {path}: not the configuration of an export ({found}); {_REPAIR}") from error
    for name, size in config.files.items():
        try:
            found_size = (folder / name).stat().st_size
        except OSError as error:
            raise EncoderError(f"encoder {folder}: {name} is missing; {_REPAIR}") from error
        if found_size != size:
            raise EncoderError(
                f"encoder {folder}: {name} has {found_size} bytes, expected {size} "
                f"(a partial copy, or a Git LFS pointer?); {_REPAIR}"
            )
    return config
