"""A pack made searchable: its records, the topic model over them, and the cleaning of what people type."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from knowledge.choosing import Calibration, TopicModel, Vector
from knowledge.encoder import Encoder
from knowledge.index import Index, Kind, Record, SyncReport, open_index
from knowledge.loading import Pack, read_yaml
from knowledge.pack import PackError, Topic
from knowledge.quoting import searchable
from knowledge.text import Corrector, normalise

NEGATIVE = "~none"
"""The ref of records that no topic should answer."""
CALIBRATION = "calibration.yaml"


def cleaner(pack: Pack) -> Corrector:
    """The corrector over the pack's vocabulary."""
    return Corrector(pack.lexicon.corrector_words)


def clean(text: str, corrector: Corrector) -> str:
    """What was typed, normalised and with the pack's words put back."""
    return corrector.correct(normalise(text))


def records_of(pack: Pack, corrector: Corrector, more: Iterable[Topic] = ()) -> list[Record]:
    """Everything that is indexed: clauses, sample questions (cleaned as questions are), negatives."""
    return clause_records(pack) + sample_records(pack, corrector, more)


def clause_records(pack: Pack) -> list[Record]:
    """The clauses, and the sample questions that lead to one of an imported document."""
    records = [
        Record(f"clause:{c.id}", Kind.CLAUSE, c.id, searchable(pack, c), c.digest)
        for c in pack.clauses.values()
        if c.kind != "heading"
    ]
    for ref, questions in pack.questions.items():
        if ref in pack.clauses:
            # Each with the clause's own words: a bare question is nearer to other questions than a clause can
            # be, and would draw in what merely sounds alike.
            for text in dict.fromkeys(normalise(q) for q in questions):
                words = f"{text} {searchable(pack, pack.clauses[ref])}"
                records.append(Record(f"question:{ref}:{_short(text)}", Kind.CLAUSE, ref, words))
    return records


def sample_records(pack: Pack, corrector: Corrector, more: Iterable[Topic] = ()) -> list[Record]:
    """The topics' sample questions (cleaned as questions are) and the negatives."""
    records: list[Record] = []
    for topic in (*pack.topics.values(), *more):
        seen = set()
        for sample in topic.samples:
            text = clean(sample, corrector)
            if text not in seen:
                seen.add(text)
                records.append(Record(f"sample:{topic.id}:{_short(text)}", Kind.SAMPLE, topic.id, text))
    seen = {r.text for r in records}
    for negative in pack.negatives:
        text = clean(negative, corrector)
        if text not in seen:
            seen.add(text)
            records.append(Record(f"sample:{NEGATIVE}:{_short(text)}", Kind.SAMPLE, NEGATIVE, text))
    return records


def _short(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


@dataclass(frozen=True)
class Finder:
    """The index of a pack with its topic model."""

    index: Index
    model: TopicModel
    report: SyncReport
    _rows: np.ndarray[tuple[int], np.dtype[np.intp]]
    _groups: np.ndarray[tuple[int], np.dtype[np.int64]]

    def lexical(self, text: str) -> Vector:
        """For each topic of the model, the best agreement in words of its samples."""
        scores = self.index.lexical(Kind.SAMPLE, text)[self._rows]
        best = np.zeros(len(self.model.topics), dtype=np.float32)
        np.maximum.at(best, self._groups, scores)
        return best


def open_finder(records: list[Record], encoder: Encoder, data_dir: Path, chroma_url: str | None) -> Finder:
    """Bring the index in step with the records and build the topic model over it."""
    index, report = open_index(records, encoder, data_dir, chroma_url)
    samples, vectors = index.part(Kind.SAMPLE)
    topics = list(dict.fromkeys(r.ref for r in samples if r.ref != NEGATIVE))
    place = {ref: i for i, ref in enumerate(topics)}
    rows = np.array([i for i, r in enumerate(samples) if r.ref != NEGATIVE], dtype=np.intp)
    owners = np.array([place[samples[i].ref] for i in rows], dtype=np.int64)
    negatives = np.array([i for i, r in enumerate(samples) if r.ref == NEGATIVE], dtype=np.intp)
    model = TopicModel(topics, owners, vectors[rows], vectors[negatives])
    return Finder(index, model, report, rows, owners)


def load_calibration(pack: Pack) -> Calibration:
    """What `qtic knowledge calibrate` wrote into the pack. Raises PackError where it is missing or malformed."""
    path = pack.folder / CALIBRATION
    try:
        data: Mapping[str, object] = read_yaml(path)
        return Calibration.from_data(data)
    except (KeyError, TypeError) as error:
        raise PackError(f"{path}: {error} is missing; run `qtic knowledge calibrate`") from error
