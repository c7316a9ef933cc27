"""The library: documents that an operator brought in, beside the pack and never in it.

    DATA_DIR/documents/<pack>/
        library.json      what is in force for readers: the list of documents, each with its folder
        <id>-<digest>/    source.txt (the text as read) and clauses.json; written once, never changed

A change writes a new folder aside and then replaces library.json in one step, so a reader sees the old
library or the new one, and an import that is killed leaves the old. Writers take turns by a lock.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from knowledge.clauses import Clause, Uncertainty, parse_report
from knowledge.loading import Pack
from knowledge.pack import DocumentSpec
from knowledge.readers import Limits, Remark, read
from knowledge.references import find_references

DocumentKind = Literal["notice", "measures", "amendment", "answers"]
_log = logging.getLogger(__name__)
_LOCK_SECONDS = 20.0
_ID = re.compile(r"[a-z][a-z0-9-]{0,39}")
_AMENDS = re.compile(r"修改为|改为|修订为|删去|删除|废止|不再执行|增加")


class LibraryError(Exception):
    """A change of the library that cannot be made; text: prompts/texts/documents.yaml, errors."""

    def __init__(self, key: str, **params: object) -> None:
        super().__init__(f"{key}: {params}")
        self.key = key
        self.params = params


class Document(BaseModel):
    """A document of the library.

    Args:
        title: As cited. `short`: as said in a sentence, with its marks, e.g. 《办法》.
        effective: First day on which it holds; None: it holds since it was published.
        supersedes: Ids of documents, or of their places ("measures:第九条"), that it replaces.
        digest: SHA-256 of the file.
        folder: Where source.txt and clauses.json lie, under the library's own folder.
        leftovers: Characters of the source that are in no clause; 0 for a sound reading.
        questions: Sample questions that lead to a clause, by its path.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    kind: DocumentKind
    title: str
    short: str
    number: str | None = None
    issuer: str | None = None
    effective: date | None = None
    supersedes: tuple[str, ...] = ()
    file: str
    digest: str
    added_at: datetime
    folder: str
    clauses: int
    leftovers: int = 0
    doubts: tuple[str, ...] = ()
    questions: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    def spec(self) -> DocumentSpec:
        """As the pack names its documents."""
        return DocumentSpec(
            id=self.id,
            kind=self.kind,
            title=self.title,
            short=self.short,
            number=self.number,
            issuer=self.issuer,
            file=f"{self.folder}/source.txt",
            effective=self.effective,
            supersedes=self.supersedes,
            imported=True,
        )


@dataclass(frozen=True)
class Stored:
    """A document with its clauses."""

    document: Document
    clauses: tuple[Clause, ...]


@dataclass(frozen=True)
class Preview:
    """What a file would become: its clauses, and everything worth a look before it goes live.

    Attributes:
        title: As the file itself says; None where no title was recognised.
        leftovers: Pieces of the text that are in no clause.
        uncertainties: Places that can be read in two ways.
        warnings: What the reader left out or guessed.
    """

    file: str
    kind: str
    digest: str
    text: str
    title: str | None
    number: str | None
    clauses: tuple[Clause, ...]
    leftovers: tuple[str, ...]
    uncertainties: tuple[Uncertainty, ...]
    warnings: tuple[Remark, ...]


@dataclass(frozen=True)
class Added:
    """What an import did. `replaced`: the reading that it took the place of; `changed` False: nothing to do."""

    document: Document
    preview: Preview
    replaced: Stored | None
    changed: bool


def preview(path: Path, document_id: str = "new", limits: Limits | None = None, *, name: str | None = None) -> Preview:
    """Read a file and cut it into clauses; nothing is written.

    Args:
        name: The file's own name, where `path` is a temporary one (an upload).

    Raises:
        ReaderError: The file cannot be read, or not safely.
    """
    source = read(path, limits)
    report = parse_report(document_id, source.text)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Preview(
        Path(name or path.name).name,
        source.kind,
        digest,
        source.text,
        _title(report.clauses),
        _number(report.clauses),
        report.clauses,
        report.leftovers,
        report.uncertainties,
        source.warnings,
    )


def _title(clauses: Sequence[Clause]) -> str | None:
    text = next((c.text for c in clauses if c.path.split("·")[-1] == "标题"), "")
    lines = [line.strip() for line in text.split("\n")]
    # A line in brackets before the title is a remark; one behind it (（试行）) belongs to it.
    while lines and lines[0].startswith(("（", "(")) and len(lines) > 1:
        lines.pop(0)
    return re.sub(r"^（[^（）]*）", "", "".join("".join(lines).split())) or None


def _number(clauses: Sequence[Clause]) -> str | None:
    for clause in clauses[:4]:
        if clause.path in ("文号", "文头") and (found := re.search(r"\S{1,12}〔\d{4}〕\s*\d+\s*号", clause.text)):
            return found[0]
    return None


class Library:
    """The documents of one pack on this machine (or on the volume that several share)."""

    def __init__(self, data_dir: Path, pack_id: str) -> None:
        self.folder = data_dir / "documents" / pack_id
        self._list = self.folder / "library.json"

    def revision(self) -> tuple[int, int, int] | None:
        """Changes with every change of the library; costs one look at a file. None: nothing was ever added."""
        try:
            found = self._list.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def documents(self) -> list[Document]:
        """The documents, oldest first. Raises LibraryError where the list is damaged."""
        try:
            data = json.loads(self._list.read_text("utf-8"))
            return [Document.model_validate(d) for d in data["documents"]]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
            raise LibraryError("damaged", file=str(self._list), problem=str(error).split("\n")[0]) from error

    def load(self) -> list[Stored]:
        """Every document with its clauses. Raises LibraryError where one is damaged."""
        for attempt in range(3):
            try:
                return [self._stored(document) for document in self.documents()]
            except LibraryError:
                # The list was replaced, and a folder removed, between the two looks.
                if attempt == 2:
                    raise
        raise AssertionError("unreachable")

    def get(self, document_id: str) -> Stored:
        """One document. Raises LibraryError where there is none of that id."""
        for document in self.documents():
            if document.id == document_id:
                return self._stored(document)
        raise LibraryError("unknown", id=document_id, known=[d.id for d in self.documents()])

    def _stored(self, document: Document) -> Stored:
        path = self.folder / document.folder / "clauses.json"
        try:
            rows = json.loads(path.read_text("utf-8"))
            return Stored(document, tuple(Clause(**{**row, "headings": tuple(row["headings"])}) for row in rows))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LibraryError("damaged", file=str(path), problem=str(error).split("\n")[0]) from error

    def add(
        self,
        path: Path,
        *,
        kind: DocumentKind,
        now: datetime,
        declared: Mapping[str, DocumentSpec] | None = None,
        known: Mapping[str, Clause] | None = None,
        document_id: str | None = None,
        title: str | None = None,
        number: str | None = None,
        effective: date | None = None,
        supersedes: Sequence[str] = (),
        name: str | None = None,
        limits: Limits | None = None,
        prepare: Callable[[list[Stored]], None] | None = None,
    ) -> Added:
        """Bring a document in, or a new reading of it. It is there at the end, or nothing has changed.

        Args:
            declared: The pack's documents: what is declared and missing becomes present under its own id.
            known: The pack's own clauses, which may be superseded too.
            supersedes: "measures" (the whole) or "measures:第九条" (a place).
            prepare: Called with the library as it will be, before readers see it (to encode and index).

        Raises:
            ReaderError: The file cannot be read, or not safely.
            LibraryError: Another import is running, an id or what is superseded is unknown, or the folder
                cannot be written.
        """
        if document_id is not None and not _ID.fullmatch(document_id):
            raise LibraryError("bad_id", id=document_id)
        # The slow and dangerous part needs no lock: nothing is written yet.
        draft = preview(path, "new", limits, name=name)
        if not draft.clauses:
            raise LibraryError("no_clauses", file=draft.file)
        with self._changing():
            present = self.load()
            chosen = document_id or self._id_for(kind, title or draft.title, draft.digest, present, declared or {})
            spec = (declared or {}).get(chosen)
            if spec is not None and spec.file is not None and not spec.imported:
                raise LibraryError("id_taken", id=chosen)
            report = parse_report(chosen, draft.text)
            draft = replace(draft, clauses=report.clauses)
            others = [s for s in present if s.document.id != chosen]
            places = {c.id: c for s in others for c in s.clauses} | dict(known or {})
            document = Document(
                id=chosen,
                kind=kind,
                title=title or draft.title or (spec.title if spec else Path(draft.file).stem),
                short=spec.short if spec else _short(title or draft.title or Path(draft.file).stem),
                number=number
                or draft.number
                or (spec.number if spec and alike(spec.title, title or draft.title) else None),
                issuer=spec.issuer if spec else None,
                effective=effective,
                supersedes=self._superseded(kind, supersedes, draft.clauses, places),
                file=draft.file,
                digest=draft.digest,
                added_at=now,
                folder=f"{chosen}-{draft.digest[:12]}",
                clauses=len(draft.clauses),
                leftovers=sum(len(piece) for piece in draft.leftovers),
                doubts=tuple(f"{u.reason}: {u.line}" for u in draft.uncertainties),
            )
            old = next((s for s in present if s.document.id == chosen), None)
            if old is not None:
                document = document.model_copy(update={"questions": _kept(old, draft.clauses)})
                if old.clauses == draft.clauses and old.document == document.model_copy(
                    update={"added_at": old.document.added_at, "folder": old.document.folder}
                ):
                    return Added(old.document, draft, old, changed=False)
                document = document.model_copy(update={"folder": f"{document.folder}-{now:%Y%m%d%H%M%S%f}"})
            after = [*others, Stored(document, draft.clauses)]
            self._write_folder(document.folder, draft)
            if prepare is not None:
                prepare(after)
            self._write_list([s.document for s in after])
            self._tidy([s.document for s in after])
        return Added(document, draft, old, changed=True)

    def remove(self, document_id: str, prepare: Callable[[list[Stored]], None] | None = None) -> Document:
        """Take a document out; the one taken out. Raises LibraryError where there is none of that id."""
        with self._changing():
            present = self.load()
            gone = next((s for s in present if s.document.id == document_id), None)
            if gone is None:
                raise LibraryError("unknown", id=document_id, known=[s.document.id for s in present])
            after = [s for s in present if s.document.id != document_id]
            if prepare is not None:
                prepare(after)
            self._write_list([s.document for s in after])
            self._tidy([s.document for s in after])
        return gone.document

    def ask(self, document_id: str, path: str, questions: Sequence[str]) -> Document:
        """Set the sample questions that lead to a clause. Raises LibraryError for an unknown document or clause."""
        with self._changing():
            present = self.load()
            stored = next((s for s in present if s.document.id == document_id), None)
            if stored is None:
                raise LibraryError("unknown", id=document_id, known=[s.document.id for s in present])
            if path not in {c.path for c in stored.clauses}:
                raise LibraryError("unknown_clause", id=document_id, clause=path)
            kept = {p: q for p, q in stored.document.questions.items() if p != path}
            wanted = tuple(dict.fromkeys(q.strip() for q in questions if q.strip()))
            changed = stored.document.model_copy(update={"questions": kept | ({path: wanted} if wanted else {})})
            self._write_list([changed if s is stored else s.document for s in present])
        return changed

    def _id_for(
        self, kind: str, title: str | None, digest: str, present: list[Stored], declared: Mapping[str, DocumentSpec]
    ) -> str:
        """The id of the same document read before, of the declared and missing one, or a new one."""
        for stored in present:
            document = stored.document
            if document.kind == kind and (document.digest == digest or (title and document.title == title)):
                return document.id
        taken = {s.document.id for s in present}
        missing = [d.id for d in declared.values() if d.kind == kind and d.file is None and d.id not in taken]
        if missing:
            return missing[0]
        taken |= set(declared)
        return next(c for n in range(1, 10_000) if (c := kind if n == 1 else f"{kind}-{n}") not in taken)

    def _superseded(
        self, kind: str, targets: Sequence[str], clauses: Sequence[Clause], places: Mapping[str, Clause]
    ) -> tuple[str, ...]:
        documents = {c.document for c in places.values()}
        found: list[str] = []
        for target in targets:
            document, _, path = target.partition(":")
            if document not in documents:
                raise LibraryError("unknown_target", target=target, known=sorted(documents))
            if path:
                references = find_references(path)
                place = [
                    c
                    for c in places.values()
                    if c.document == document and (c.path == path or any(r.matches(c) for r in references))
                ]
                if not place:
                    raise LibraryError("unknown_target", target=target, known=sorted(documents))
                found.append(f"{document}:{references[0].label if references else path}")
            elif kind == "amendment" and (named := _amended(clauses)):
                # A decision to amend replaces the places that it names, not the whole.
                found += [f"{document}:{label}" for label in named]
            else:
                found.append(document)
        return tuple(dict.fromkeys(found))

    @contextmanager
    def _changing(self) -> Iterator[None]:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self.folder / "lock", timeout=_LOCK_SECONDS):
                yield
        except Timeout as error:
            raise LibraryError("busy") from error
        except OSError as error:
            raise LibraryError("unwritable", folder=str(self.folder), problem=error.strerror or str(error)) from error

    def _write_folder(self, name: str, draft: Preview) -> None:
        aside = Path(tempfile.mkdtemp(prefix=".new-", dir=self.folder))
        try:
            _write(aside / "source.txt", draft.text)
            _write(aside / "clauses.json", json.dumps([asdict(c) for c in draft.clauses], ensure_ascii=False))
            final = self.folder / name
            if final.exists():  # left by an import that was killed before it reached the list
                shutil.rmtree(final)
            aside.chmod(0o755)
            aside.replace(final)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise

    def _write_list(self, documents: Iterable[Document]) -> None:
        data = {"documents": [d.model_dump(mode="json", exclude_defaults=True) for d in documents]}
        descriptor, name = tempfile.mkstemp(prefix=".library-", dir=self.folder)
        os.close(descriptor)
        aside = Path(name)
        try:
            _write(aside, json.dumps(data, ensure_ascii=False, indent=1))
            aside.chmod(0o644)
            aside.replace(self._list)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise

    def _tidy(self, documents: Iterable[Document]) -> None:
        """Remove what no list names: folders replaced, and what killed imports left."""
        kept = {d.folder for d in documents}
        for entry in self.folder.iterdir():
            if entry.is_dir() and entry.name not in kept:
                shutil.rmtree(entry, ignore_errors=True)
            elif entry.name.startswith(".library-"):
                entry.unlink(missing_ok=True)


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def alike(one: str, other: str | None) -> bool:
    """Whether two titles are the same but for marks and what stands in brackets at the end."""
    bare = ["".join(c for c in re.split(r"[（(]", title)[0] if c.isalnum()) for title in (one, other or one)]
    return bare[0] == bare[1]


def _short(title: str) -> str:
    return f"《{title}》"


def _kept(old: Stored, clauses: Sequence[Clause]) -> dict[str, tuple[str, ...]]:
    """Sample questions of clauses that the new reading has with the same words."""
    same = {c.path for c in clauses} & {c.path for c in old.clauses}
    words = {c.path: c.digest for c in clauses}
    before = {c.path: c.digest for c in old.clauses}
    return {p: q for p, q in old.document.questions.items() if p in same and words[p] == before[p]}


def _amended(clauses: Sequence[Clause]) -> list[str]:
    """The places that an amendment says it changes: 将第九条修改为, 删去第十二条第二款."""
    found: list[str] = []
    for clause in clauses:
        for sentence in re.split(r"[。；\n]", clause.text):
            head = sentence.split("：")[0].split("“")[0]
            if _AMENDS.search(head):
                found += [r.label for r in find_references(head) if r.article is not None]
    return list(dict.fromkeys(found))


def with_documents(pack: Pack, stored: Sequence[Stored]) -> Pack:
    """The pack with the library's documents in it: declared ones are present then, others are added."""
    if not stored:
        return pack
    by_id = {s.document.id: s.document.spec() for s in stored}
    kept = [by_id.pop(d.id) if d.id in by_id and d.file is None else d for d in pack.info.documents]
    own = {d.id for d in pack.info.documents if d.file is not None}
    added = [spec for id_, spec in by_id.items() if id_ not in own]
    clauses = {c.id: c for s in stored if s.document.id not in own for c in s.clauses}
    questions = {f"{s.document.id}:{path}": asked for s in stored for path, asked in s.document.questions.items()}
    info = pack.info.model_copy(update={"documents": (*kept, *added)})
    return replace(pack, info=info, clauses={**pack.clauses, **clauses}, questions=questions)


def complete(pack: Pack, data_dir: Path) -> Pack:
    """The pack with what the operator brought in. Raises LibraryError where the library is damaged."""
    return with_documents(pack, Library(data_dir, pack.info.id).load())
