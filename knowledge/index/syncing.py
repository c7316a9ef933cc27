"""Keeping the store in step with the pack, and starting quickly when nothing has changed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from filelock import FileLock

from knowledge.encoder.base import Encoder, Vectors
from knowledge.index.lexical import Lexicon
from knowledge.index.records import Kind, Record, digest_of
from knowledge.index.search import Index
from knowledge.index.snapshot import Snapshot
from knowledge.index.store import ChromaStore, StoreError, discard, looks_whole

COLLECTION = "knowledge"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SyncReport:
    """What bringing the store in step took: counts of records; `problems` name what could not be done.

    `encoded`: records whose vector had to be made; the others' were known. `rebuilt`: the store was begun
    anew because it was missing, damaged, or made with another encoder.
    """

    created: int = 0
    updated: int = 0
    deleted: int = 0
    skipped: int = 0
    encoded: int = 0
    rebuilt: bool = False
    problems: tuple[str, ...] = field(default=())


def sync(
    records: Sequence[Record],
    encoder: Encoder,
    data_dir: Path,
    chroma_url: str | None = None,
    *,
    seed: Path | None = None,
) -> SyncReport:
    """Hold every record against the store itself and put right what differs; see `open_index`."""
    return open_index(records, encoder, data_dir, chroma_url, seed=seed, verify=True)[1]


def open_index(
    records: Sequence[Record],
    encoder: Encoder,
    data_dir: Path,
    chroma_url: str | None = None,
    *,
    seed: Path | None = None,
    verify: bool = False,
) -> tuple[Index, SyncReport]:
    """The index of `records`, with the store brought in step first where it is not.

    While neither records nor encoder have changed, the snapshot is read and Chroma is not opened. Two
    processes may do this at once on one folder: the second waits and finds the work done. A store that is
    damaged or cannot be written never stops a start: the index is then made in memory, as the report says.

    Args:
        records: Everything that the pack wants found; ids are unique.
        encoder: Makes the vectors.
        data_dir: The index lies in its folder `index`.
        chroma_url: Address of a Chroma server; None: embedded.
        seed: A snapshot that a pack ships; saves the encoding of unchanged texts on a new machine.
        verify: Look into the store even if the snapshot fits.

    Raises:
        ValueError: Two records have the same id.
        EncoderError: A text cannot be encoded.
    """
    records = sorted(records, key=lambda record: record.id)
    for one, other in pairwise(records):
        if one.id == other.id:
            raise ValueError(f"two records have the id {one.id!r}; ids must be unique")
    folder = data_dir / "index"
    if not verify and (snapshot := _fitting(records, encoder, folder, chroma_url)):
        return _index(records, snapshot), SyncReport(skipped=len(records))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / "sync.lock"):
            # Another process may have done it while this one waited for the lock.
            if not verify and (snapshot := _fitting(records, encoder, folder, chroma_url)):
                return _index(records, snapshot), SyncReport(skipped=len(records))
            return _Sync(records, encoder, folder, chroma_url, seed).run()
    except OSError as error:
        problem = f"{folder} cannot be written ({error.strerror or error}); the index is in memory only"
        _log.warning("%s", problem)
        task = _Sync(records, encoder, folder, chroma_url, seed)
        task.problems.append(problem)
        snapshot = task.in_memory()
        return _index(records, snapshot), SyncReport(encoded=task.encoded, problems=tuple(task.problems))


def _fitting(records: Sequence[Record], encoder: Encoder, folder: Path, chroma_url: str | None) -> Snapshot | None:
    snapshot = Snapshot.load(folder / "snapshot.npz")
    if snapshot is None or snapshot.fingerprint != encoder.fingerprint:
        return None
    if snapshot.vectors.shape != (len(records), encoder.dimension) or snapshot.records != digest_of(records):
        return None
    if chroma_url is None and not looks_whole(folder / "chroma"):
        _log.warning("index store %s is missing or damaged; it is built again from the pack", folder / "chroma")
        return None
    return snapshot


def _index(records: Sequence[Record], snapshot: Snapshot) -> Index:
    return Index(records, snapshot.vectors, snapshot.lexicons)


class _Sync:
    """One run: known vectors are gathered, missing ones made, store and snapshot written."""

    def __init__(
        self,
        records: Sequence[Record],
        encoder: Encoder,
        folder: Path,
        chroma_url: str | None,
        seed: Path | None,
    ) -> None:
        self._records = records
        self._encoder = encoder
        self._folder = folder
        self._url = chroma_url
        self._known: dict[str, Vectors] = {}
        self.encoded = 0
        self.problems: list[str] = []
        for path in (seed, folder / "snapshot.npz"):
            older = Snapshot.load(path) if path else None
            if older and older.fingerprint == encoder.fingerprint and older.vectors.shape[1] == encoder.dimension:
                self._known.update(zip(older.keys, older.vectors, strict=True))

    def run(self) -> tuple[Index, SyncReport]:
        try:
            report: SyncReport | None = self._keep_in_step()
        except StoreError as error:
            report = self._rebuild(error)
        snapshot = self.in_memory()
        # A snapshot of no records fits none: the next start looks into the store again, vectors at hand.
        written = snapshot if report else replace(snapshot, records="")
        try:
            written.save(self._folder / "snapshot.npz")
        except OSError as error:
            self._say(f"{self._folder} cannot be written ({error.strerror or error}); the next start is slower")
        done = replace(report or SyncReport(), encoded=self.encoded, problems=tuple(self.problems))
        return _index(self._records, snapshot), done

    def in_memory(self) -> Snapshot:
        """The snapshot of the records, from known and newly made vectors."""
        self._encode(self._records)
        rows = [self._known[record.key] for record in self._records]
        vectors = np.array(rows, dtype=np.float32).reshape(len(rows), self._encoder.dimension)
        lexicons = {
            kind: Lexicon.build([record.text for record in self._records if record.kind is kind]) for kind in Kind
        }
        keys = [record.key for record in self._records]
        return Snapshot(digest_of(self._records), self._encoder.fingerprint, keys, vectors, lexicons)

    def _rebuild(self, error: StoreError) -> SyncReport | None:
        """Begin the embedded store anew; None: it cannot be, or a server is to blame."""
        if self._url is not None:
            self._say(f"{error}; the index is in memory only")
            return None
        self._say(f"{error}; it is built again from the pack")
        discard(self._folder / "chroma")
        try:
            return self._keep_in_step()
        except StoreError as again:
            self._say(f"{again}; the index is in memory only")
            return None

    def _keep_in_step(self) -> SyncReport:
        store = ChromaStore(self._folder / "chroma", self._url, COLLECTION)
        try:
            begun = store.prepare(self._encoder)
            stored = {} if begun else store.marks()
            wanted = {record.id for record in self._records}
            changed = [record for record in self._records if stored.get(record.id) != record.mark]
            same = [record for record in self._records if stored.get(record.id) == record.mark]
            gone = [id_ for id_ in stored if id_ not in wanted]
            self._recall(store, [record for record in same if record.key not in self._known])
            self._encode(changed)
            if changed:
                store.put(changed, np.array([self._known[record.key] for record in changed], dtype=np.float32))
            if gone:
                store.delete(gone)
        finally:
            store.close()
        updated = sum(record.id in stored for record in changed)
        return SyncReport(len(changed) - updated, updated, len(gone), len(same), rebuilt=begun)

    def _recall(self, store: ChromaStore, records: Sequence[Record]) -> None:
        """Take vectors from the store, except such as cannot be right."""
        vectors = store.vectors([record.id for record in records])
        for record in records:
            vector = vectors.get(record.id)
            if vector is not None and vector.shape == (self._encoder.dimension,) and _is_unit(vector):
                self._known[record.key] = vector

    def _encode(self, records: Sequence[Record]) -> None:
        missing = {record.key: record for record in records if record.key not in self._known}
        for kind, encode in (
            (Kind.SAMPLE, self._encoder.encode_queries),
            (Kind.CLAUSE, self._encoder.encode_passages),
        ):
            some = [record for record in missing.values() if record.kind is kind]
            if some:
                vectors = encode([record.text for record in some])
                self._known.update(zip((record.key for record in some), vectors, strict=True))
                self.encoded += len(some)

    def _say(self, problem: str) -> None:
        _log.warning("%s", problem)
        self.problems.append(problem)


def _is_unit(vector: Vectors) -> bool:
    return bool(abs(float(np.linalg.norm(vector)) - 1) < 0.01)
