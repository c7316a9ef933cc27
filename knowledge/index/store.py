"""Chroma, the store of record: every record with its vector, and which encoder made it.

The only module that imports chromadb, and only where a store is opened.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from knowledge.encoder.base import Encoder, Vectors
from knowledge.index.records import Record

_log = logging.getLogger(__name__)
_BATCH = 500


class StoreError(Exception):
    """A store that cannot be opened, read or written; the message says which and why."""


def _guarded(error: BaseException) -> bool:
    # Chroma's native part panics with a BaseException on damaged files.
    return not isinstance(error, (KeyboardInterrupt, SystemExit, GeneratorExit))


class ChromaStore:
    """One collection of Chroma.

    Args:
        folder: Where the embedded database lies; not used with `url`.
        url: Address of a Chroma server, e.g. "http://chroma:8000"; None: embedded.
        collection: Name of the collection; one a pack.

    Raises:
        StoreError: It cannot be opened.
    """

    def __init__(self, folder: Path, url: str | None, collection: str) -> None:
        self._place = url or str(folder)
        self._name = collection
        self._collection: Any = None
        try:
            self._client = _connect(folder, url)
        except BaseException as error:
            if not _guarded(error):
                raise
            _forget()
            raise StoreError(f"Chroma at {self._place} cannot be opened: {_short(error)}") from error

    def prepare(self, encoder: Encoder) -> bool:
        """Open the collection for vectors of `encoder`. Whether it had to be begun anew.

        Raises:
            StoreError: The collection cannot be read or created.
        """
        wanted = {"model": encoder.name, "dimension": encoder.dimension, "fingerprint": encoder.fingerprint}
        with _Translated(self._place):
            names = {getattr(found, "name", found) for found in self._client.list_collections()}
            if self._name in names:
                found = self._client.get_collection(self._name, embedding_function=None)
                stored = found.metadata or {}
                if all(stored.get(key) == value for key, value in wanted.items()):
                    self._collection = found
                    return False
                _log.warning(
                    "index was made with encoder %s (%s), now %s (%s): indexing again",
                    stored.get("model"),
                    stored.get("fingerprint"),
                    encoder.name,
                    encoder.fingerprint,
                )
                self._client.delete_collection(self._name)
            self._collection = self._client.create_collection(
                self._name,
                embedding_function=None,
                metadata=wanted,
                configuration={"hnsw": {"space": "cosine"}},
            )
        return True

    def marks(self) -> dict[str, str]:
        """`Record.mark` of every stored record, by id."""
        with _Translated(self._place):
            got = self._collection.get(include=["metadatas"])
            return {
                id_: str((metadata or {}).get("mark", ""))
                for id_, metadata in zip(got["ids"], got["metadatas"], strict=True)
            }

    def vectors(self, ids: Sequence[str]) -> dict[str, Vectors]:
        """The stored vectors of some records, by id."""
        found: dict[str, Vectors] = {}
        with _Translated(self._place):
            for start in range(0, len(ids), _BATCH):
                got = self._collection.get(ids=list(ids[start : start + _BATCH]), include=["embeddings"])
                for id_, vector in zip(got["ids"], got["embeddings"], strict=True):
                    found[id_] = np.asarray(vector, dtype=np.float32)
        return found

    def put(self, records: Sequence[Record], vectors: Vectors) -> None:
        """Write records, new or changed."""
        with _Translated(self._place):
            for start in range(0, len(records), _BATCH):
                some = records[start : start + _BATCH]
                self._collection.upsert(
                    ids=[record.id for record in some],
                    embeddings=vectors[start : start + _BATCH],
                    documents=[record.text for record in some],
                    metadatas=[{"kind": str(record.kind), "ref": record.ref, "mark": record.mark} for record in some],
                )

    def delete(self, ids: Sequence[str]) -> None:
        """Remove records."""
        with _Translated(self._place):
            for start in range(0, len(ids), _BATCH):
                self._collection.delete(ids=list(ids[start : start + _BATCH]))

    def close(self) -> None:
        """Let go of files and connections, so that they can be replaced."""
        with suppress(Exception):
            # Chroma's own closing leaves the connections of its HTTP clients to the garbage collector.
            admin = self._client._admin_client
            for part in (self._client._server, admin._server):
                if session := getattr(part, "_session", None):
                    session.close()
        with suppress(Exception):
            self._client.close()


class _Translated:
    """Turns whatever Chroma raises into a `StoreError`."""

    def __init__(self, place: str) -> None:
        self._place = place

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None and _guarded(error):
            raise StoreError(f"Chroma at {self._place} failed: {_short(error)}") from error


def _short(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [""])[0][:200] or type(error).__name__


def _connect(folder: Path, url: str | None) -> Any:
    import chromadb
    from chromadb.config import Settings

    settings = Settings(anonymized_telemetry=False)
    if url is None:
        folder.mkdir(parents=True, exist_ok=True)
        return chromadb.PersistentClient(path=str(folder), settings=settings)
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 8000)
    return chromadb.HttpClient(host=parts.hostname or "localhost", port=port, ssl=secure, settings=settings)


def _forget() -> None:
    """Let Chroma drop a half-opened database, which it would hand out again for the same folder."""
    from chromadb.api.shared_system_client import SharedSystemClient

    SharedSystemClient.clear_system_cache()


def looks_whole(folder: Path) -> bool:
    """Whether the embedded database is there and begins like one; opening it is left to `ChromaStore`."""
    try:
        with (folder / "chroma.sqlite3").open("rb") as file:
            return file.read(16) == b"SQLite format 3\0"
    except OSError:
        return False


def discard(folder: Path) -> None:
    """Remove a damaged embedded database."""
    shutil.rmtree(folder, ignore_errors=True)
