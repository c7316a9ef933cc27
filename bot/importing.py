"""Bringing documents in, for the command and for the console: the library, the index, and what to say of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from bot.settings import Settings
from bot.texts import Texts
from knowledge.clauses import Clause
from knowledge.differences import differences
from knowledge.documents import Added, DocumentKind, Library, Preview, Stored, alike, with_documents
from knowledge.documents import preview as read_preview
from knowledge.encoder import Encoder, load_encoder
from knowledge.encoder.base import Vectors
from knowledge.finding import cleaner, open_finder, records_of
from knowledge.loading import Pack, load_pack
from knowledge.pack import DocumentSpec

Progress = Callable[[int, int], None]
"""Called with clauses encoded and clauses to encode."""
_CHUNK = 32


@dataclass(frozen=True)
class Report:
    """Sentences on an import or a preview: `head` what came of it, `remarks` everything worth a look."""

    head: str
    remarks: tuple[str, ...]


class _Counting:
    """An encoder that tells how far it has come, and lets other work on the machine go first."""

    def __init__(self, encoder: Encoder, progress: Progress | None) -> None:
        self._encoder = encoder
        self._progress = progress

    @property
    def name(self) -> str:
        return self._encoder.name

    @property
    def dimension(self) -> int:
        return self._encoder.dimension

    @property
    def fingerprint(self) -> str:
        return self._encoder.fingerprint

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._encoder.encode_queries(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        import numpy as np

        parts = []
        for start in range(0, len(texts), _CHUNK):
            parts.append(self._encoder.encode_passages(texts[start : start + _CHUNK]))
            if self._progress is not None:
                self._progress(min(start + _CHUNK, len(texts)), len(texts))
        return np.concatenate(parts) if parts else self._encoder.encode_passages([])


class Importing:
    """Changes the library of one pack; each change is indexed before readers see it.

    The console makes one from its service (`Importing(settings, pack=service.knowledge.base,
    encoder=service.knowledge.encoder)`) and calls `preview`, then `add`, in a worker thread.

    Args:
        pack: Without imported documents; None: the one that the settings name.
        encoder: None: loaded when first needed.
    """

    def __init__(
        self, settings: Settings, texts: Texts, *, pack: Pack | None = None, encoder: Encoder | None = None
    ) -> None:
        self._settings = settings
        self._texts = texts
        self.pack = pack or load_pack(settings.pack)
        self._encoder = encoder
        self.library = Library(settings.data_dir, self.pack.info.id)

    def preview(self, path: Path, *, name: str | None = None) -> tuple[tuple[Clause, ...], Report]:
        """The clauses that a file would become, and what to say of them; nothing changes.

        Args:
            name: The uploaded file's own name, for messages.

        Raises:
            ReaderError: The file cannot be read, or not safely.
        """
        draft = read_preview(path, name=name)
        head = self._texts.render(
            "documents.previewed",
            title=draft.title,
            clauses=len(draft.clauses),
            leftovers=sum(len(p) for p in draft.leftovers),
        )
        return draft.clauses, Report(head, tuple(self._remarks(draft)))

    def add(
        self,
        path: Path,
        *,
        kind: DocumentKind,
        now: datetime,
        document_id: str | None = None,
        title: str | None = None,
        number: str | None = None,
        effective: date | None = None,
        supersedes: Sequence[str] = (),
        name: str | None = None,
        progress: Progress | None = None,
    ) -> tuple[Added, Report]:
        """Bring a document in; it answers in every process from the next turn on. Blocks for seconds to minutes.

        Raises:
            ReaderError, LibraryError: With the key of the sentence that says what is wrong; nothing has changed.
        """
        added = self.library.add(
            path,
            kind=kind,
            now=now,
            declared=self.pack.documents,
            known=self.pack.clauses,
            document_id=document_id,
            title=title,
            number=number,
            effective=effective,
            supersedes=supersedes,
            name=name,
            prepare=lambda stored: self._index(stored, progress),
        )
        return added, self._said(added)

    def remove(self, document_id: str) -> str:
        """Take a document out; its title. Raises LibraryError where there is none of that id."""
        return self.library.remove(document_id, lambda stored: self._index(stored, None)).title

    def ask(self, document_id: str, clause: str, questions: Sequence[str]) -> int:
        """Set the sample questions that lead to a clause; how many there are. Raises LibraryError."""
        changed = self.library.ask(document_id, clause, questions)
        self._index(self.library.load(), None)
        return len(changed.questions.get(clause, ()))

    def clauses_of(self, given: str) -> tuple[Clause, ...]:
        """The clauses of a document by its id (the pack's own too), or of a file.

        Raises:
            LibraryError: There is neither such a document nor such a file.
        """
        own = tuple(c for c in self.pack.clauses.values() if c.document == given)
        if own:
            return own
        if given in {d.id for d in self.library.documents()}:
            return self.library.get(given).clauses
        if Path(given).is_file():
            return read_preview(Path(given)).clauses
        return self.library.get(given).clauses

    def _index(self, stored: list[Stored], progress: Progress | None) -> None:
        """Encode and index the library as it will be, so that every process finds the work done."""
        if self._encoder is None:
            self._encoder = load_encoder(self._settings.embedding_model)
        pack = with_documents(self.pack, stored)
        open_finder(
            records_of(pack, cleaner(pack)),
            _Counting(self._encoder, progress),
            self._settings.data_dir,
            self._settings.chroma_url,
        )

    def _said(self, added: Added) -> Report:
        render = self._texts.render
        document = added.document
        if not added.changed:
            return Report(render("documents.added_again", title=document.title, clauses=document.clauses), ())
        head = render(
            "documents.added",
            title=document.title,
            number=document.number,
            clauses=document.clauses,
            leftovers=document.leftovers,
            id=document.id,
        )
        remarks = self._remarks(added.preview)
        declared: DocumentSpec | None = self.pack.documents.get(document.id)
        if declared is not None and not alike(declared.title, document.title):
            remarks.insert(0, render("documents.title_differs", found=document.title, declared=declared.title))
        if added.replaced is not None:
            counts = dict.fromkeys(("added", "changed", "moved", "removed"), 0)
            for change in differences(added.replaced.clauses, added.preview.clauses):
                counts[change.kind] += 1
            remarks.append(render("documents.added_changes", **counts))
        if document.supersedes:
            remarks.append(render("documents.superseding", targets=document.supersedes))
        return Report(head, tuple(remarks))

    def _remarks(self, draft: Preview) -> list[str]:
        render = self._texts.render
        found = [render(f"readers.warnings.{w.key}", **w.params) for w in draft.warnings]
        found += [render("documents.leftover", words=piece) for piece in draft.leftovers]
        return found + [
            render("documents.doubt", reason=self._texts.get(f"documents.doubts.{u.reason}"), line=u.line)
            for u in draft.uncertainties
        ]


def politely() -> None:
    """Let every other process go first, so that an import does not slow the answers."""
    if hasattr(os, "nice"):
        os.nice(10)
