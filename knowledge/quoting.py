"""Answering from clauses without topics: by a document's name, by a clause's number, by subject; and precedence.

A clause that another document replaces is never given without saying so, and where two documents speak of
the same thing, which one governs follows from their kinds and dates (`rank`): the notice specifies the
round, answers of the bureau explain it, a later amendment replaces, the regulation is the base.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from knowledge.choosing import UNFITTED, ClauseCalibration, Vector, clause_features
from knowledge.clauses import Clause, squeeze
from knowledge.clauses.numbering import numeral
from knowledge.index import Index, Kind
from knowledge.index.lexical import segments
from knowledge.loading import Pack
from knowledge.pack import DocumentSpec
from knowledge.references import Reference, find_references
from knowledge.text import normalise

_RANK = {"notice": 3, "answers": 2, "amendment": 1, "measures": 0}
_UNQUOTED = re.compile(r"(?:.*·)?(?:标题|主送|落款|版记|目录|文头|文号|题注|附件清单|附注)(?:#\d+)?")
"""Parts that say nothing by themselves, and so never answer by nearness."""
_NEAR = 0.15
"""How far below the best a clause may lie in confidence and still be quoted beside it."""
_MOST = 3
_ALIKE = 0.5
"""Share of words that two sentences must have in common before their numbers are held against each other."""


@dataclass(frozen=True)
class Words:
    """How people name a document and ask for its content; patterns from prompts/texts/documents.yaml.

    Attributes:
        bare: Patterns with {short}: a short name without its marks counts only in such surroundings.
        asking: What is taken out of a question before its subject is looked for.
    """

    bare: tuple[str, ...]
    asking: tuple[str, ...]


@dataclass(frozen=True)
class Quote:
    """A clause to quote. `by`: the document that replaces it on the day; `pending`: its own does not hold yet."""

    clause: Clause
    document: DocumentSpec
    score: float
    by: DocumentSpec | None = None
    pending: bool = False


@dataclass(frozen=True)
class Conflict:
    """Two clauses that give different values for the same thing; the governing one first."""

    first: Quote
    second: Quote
    values: tuple[str, str]


@dataclass(frozen=True)
class Seen:
    """What the documents hold for a question.

    Attributes:
        named: The documents that the question names.
        reference: The place that it names, e.g. 第十二条.
        places: The clauses of that place; empty where the document has none of that number.
        last: The last article of the document, for a number that it does not have.
        found: Clauses by subject, governing ones first.
        strong: Whether the best of them is above the calibrated bar.
        conflict: Two of them that contradict each other.
    """

    named: tuple[DocumentSpec, ...] = ()
    reference: Reference | None = None
    places: tuple[Quote, ...] = ()
    last: str = ""
    found: tuple[Quote, ...] = ()
    strong: bool = False
    conflict: Conflict | None = None


class ClauseFinder:
    """Finds clauses of a pack with its documents. Never changes, so any thread may ask.

    Args:
        pack: With the library's documents in it.
        calibration: Confidence and the bar from which a clause answers by itself; None: it never does.
        encode: Questions to unit vectors.
    """

    def __init__(
        self,
        pack: Pack,
        index: Index,
        calibration: ClauseCalibration | None,
        encode: Callable[[Sequence[str]], Vector],
        words: Words,
    ) -> None:
        self.pack = pack
        self._calibration = calibration or UNFITTED
        self.bar = self._calibration.bar
        self._index = index
        self._encode = encode
        self._asking = [re.compile(p) for p in words.asking]
        self.documents = tuple(d for d in pack.info.documents if d.imported)
        self._of = {d.id: [c for c in pack.clauses.values() if c.document == d.id] for d in pack.info.documents}
        self._names = {d.id: _names(d, words) for d in self.documents}
        records, self._vectors = index.part(Kind.CLAUSE)
        refs = list(dict.fromkeys(r.ref for r in records))
        place = {ref: i for i, ref in enumerate(refs)}
        self._clauses = [pack.clauses.get(ref) for ref in refs]
        self._groups = np.array([place[r.ref] for r in records], dtype=np.intp)
        quotable = [c is not None and not _UNQUOTED.fullmatch(c.path) for c in self._clauses]
        self._within = {
            d.id: np.array(
                [q and c is not None and c.document == d.id for q, c in zip(quotable, self._clauses, strict=True)],
                dtype=bool,
            )
            for d in pack.info.documents
        }

    @property
    def imported(self) -> frozenset[str]:
        """Ids of the documents that the operator brought in."""
        return frozenset(d.id for d in self.documents)

    def named(self, text: str) -> tuple[DocumentSpec, ...]:
        """The imported documents that a question (normalised) names; of titles within titles the longest."""
        hits = [(match.span(), d) for d in self.documents if (match := self._names[d.id].search(text))]
        return tuple(
            d for span, d in hits if not any(o[0] <= span[0] and span[1] <= o[1] and o != span for o, _ in hits)
        )

    def look(self, text: str, vector: Vector | None, day: date, *, notice: bool = False) -> Seen:
        """Everything that the documents hold for a question.

        Args:
            text: Normalised. `vector`: its encoding, where it was made already.
            notice: Look into the pack's own documents as well, not in the imported ones alone.
        """
        if not self.documents and not notice:
            return Seen()
        named = self.named(text) if self.documents else ()
        seen = Seen(named=named)
        if self.documents and (reference := next((r for r in find_references(text)), None)):
            places, last, owner = self.place(reference, named, day)
            if owner is not None:
                seen = replace(seen, named=(owner,), reference=reference, places=places, last=last)
        subject = self.subject(text, named) if named else text
        if not subject:
            return seen
        if vector is None or subject != text:
            vector = self._encode([subject])[0]
        ids = {d.id for d in named} or ({d.id for d in self.pack.info.documents} if notice else set(self.imported))
        found = self.search(subject, vector, ids)
        quotes = self.governed(found, day)
        strong = bool(quotes) and max(q.score for q in quotes) >= self.bar
        return replace(seen, found=quotes, strong=strong, conflict=self.conflict(quotes) if strong else None)

    def subject(self, text: str, named: Iterable[DocumentSpec]) -> str:
        """What a question asks about, without the document's name and the words of asking."""
        for document in named:
            text = self._names[document.id].sub(" ", text)
        for pattern in self._asking:
            text = pattern.sub(" ", text)
        return " ".join(text.strip(" 《》\"'?？。，,：:").split())

    def search(self, text: str, vector: Vector, documents: Iterable[str], k: int = 6) -> list[tuple[Clause, float]]:
        """The best clauses of some documents by meaning and by words, best first, with their confidence."""
        if not self._clauses:
            return []
        score = self._calibration.confidence(self.features(text, vector))
        best = np.full(len(self._clauses), -np.inf, dtype=np.float32)
        np.maximum.at(best, self._groups, score)
        allowed = np.zeros(len(best), dtype=bool)
        for document in documents:
            if document in self._within:
                allowed |= self._within[document]
        best[~allowed] = -np.inf
        order = np.argsort(-best, kind="stable")[:k]
        return [(c, float(best[i])) for i in order if np.isfinite(best[i]) and (c := self._clauses[i]) is not None]

    def features(self, text: str, vector: Vector) -> Vector:
        """`clause_features` of every indexed record of a clause."""
        return clause_features(self._vectors @ vector, self._index.lexical(Kind.CLAUSE, text))

    def governed(self, found: Sequence[tuple[Clause, float]], day: date) -> tuple[Quote, ...]:
        """The best clauses as quotes: what replaces a clause comes with it, the governing document first."""
        if not found:
            return ()
        top = found[0][1]
        quotes: dict[str, Quote] = {}
        for clause, score in found:
            if score >= top - _NEAR and len(quotes) < _MOST:
                quote = self._quote(clause, score, day)
                for newer in self.replacing(clause, quote.by):
                    quotes.setdefault(newer.id, self._quote(newer, score, day))
                quotes.setdefault(clause.id, quote)
        return tuple(
            sorted(quotes.values(), key=lambda q: (q.by is not None, q.pending, *_order(q.document), -q.score))
        )

    def place(
        self, reference: Reference, named: Sequence[DocumentSpec], day: date
    ) -> tuple[tuple[Quote, ...], str, DocumentSpec | None]:
        """The clauses of a place, the last article of the document, and the document meant.

        Without a name, the base regulation is meant: documents that are numbered in 条 at all, the regulation
        before what amends it.
        """
        pool = named or sorted(self.documents, key=lambda d: (_RANK[d.kind], self._replaced(d.id, "", day) is not None))
        counting = [d for d in pool if any(c.path.startswith("第") for c in self._of[d.id])]
        if not counting:
            return (), "", None
        for document in counting:
            clauses = [c for c in self._of[document.id] if reference.matches(c)]
            if clauses:
                quotes: dict[str, Quote] = {}
                for clause in clauses:
                    quote = self._quote(clause, 1.0, day)
                    for newer in self.replacing(clause, quote.by):
                        quotes.setdefault(newer.id, self._quote(newer, 1.0, day))
                    quotes[clause.id] = quote
                # What holds stands before what it replaced; within a document, its own order.
                return tuple(sorted(quotes.values(), key=lambda q: q.by is not None)), "", document
        return (), self._last(counting[0].id), counting[0]

    def _last(self, document: str) -> str:
        articles = [r[0] for c in self._of[document] if (r := find_references(c.path)) and r[0].article]
        return max(articles, key=lambda r: r.article or 0).label.split("款")[0] if articles else ""

    def _quote(self, clause: Clause, score: float, day: date) -> Quote:
        document = self.pack.documents[clause.document]
        pending = document.effective is not None and document.effective > day
        return Quote(clause, document, score, self._replaced(clause.document, clause.path, day), pending)

    def _replaced(self, document: str, path: str, day: date) -> DocumentSpec | None:
        """The document that, on a day, replaces a place (the whole where `path` is empty)."""
        newest: DocumentSpec | None = None
        for other in self.documents:
            if other.effective is not None and other.effective > day or other.id == document:
                continue
            if any(_covers(target, document, path) for target in other.supersedes) and (
                newest is None or (other.effective or date.min) >= (newest.effective or date.min)
            ):
                newest = other
        return newest

    def replaced(self, clause_id: str, day: date) -> DocumentSpec | None:
        """The document that, on a day, replaces a clause; None: the clause holds."""
        document, _, path = clause_id.partition(":")
        return self._replaced(document, path, day) if self.documents else None

    def replacing(self, clause: Clause, by: DocumentSpec | None) -> list[Clause]:
        """The clauses of `by` that speak of the place of `clause`, or have its number."""
        if by is None:
            return []
        own = find_references(clause.path)
        label = own[0].label.split("款")[0] if own else ""
        article = re.match(r"第[^条]+条(?:之.)?", label)
        if article is None:
            return [c for c in self._of[by.id] if c.path == clause.path]
        wanted = find_references(article[0])[0]
        if by.kind == "amendment":
            said = [c for c in self._of[by.id] if any(r.label.startswith(article[0]) for r in find_references(c.text))]
            if said:
                return said[:_MOST]
        return [c for c in self._of[by.id] if wanted.matches(c)][:_MOST]

    def conflict(self, quotes: Sequence[Quote]) -> Conflict | None:
        """Two quotes of different documents, both in force, that give different numbers for the same thing."""
        alive = [q for q in quotes if q.by is None and not q.pending]
        for at, one in enumerate(alive):
            for other in alive[at + 1 :]:
                if one.document.id != other.document.id and (
                    values := contradiction(one.clause.text, other.clause.text)
                ):
                    return Conflict(one, other, values)
        return None

    def beside(self, cited: Iterable[str], seen: Seen, day: date) -> tuple[Quote, ...]:
        """Imported clauses that speak of what an answer from other clauses already says; above the bar alone."""
        if not seen.strong:
            return ()
        used = {c.partition(":")[0] for c in cited}
        return tuple(q for q in seen.found if q.score >= self.bar and q.document.imported and q.document.id not in used)


def _names(document: DocumentSpec, words: Words) -> re.Pattern[str]:
    """Everything that names a document, longest first."""
    title = normalise(document.title)
    short = normalise(document.short).strip("《》")
    plain = re.sub(r"\(.*?\)$", "", title)
    exact = {title, plain, f"《{short}》"}
    if document.number:
        number = normalise(document.number)
        exact |= {number, number.replace("号", "")}
        if year := re.search(r"\[?〔?(\d{4})〕?\]?\s*(\d+)号", number):
            exact.add(f"{year[2]}号文")
    if len(short) >= 4:
        exact.add(short)
    patterns = [re.escape(name) for name in sorted(exact, key=len, reverse=True) if name]
    patterns = [rf"《?{p}》?" for p in patterns]
    patterns += [p.replace("{short}", re.escape(short)) for p in words.bare]
    return re.compile("|".join(patterns))


def _order(document: DocumentSpec) -> tuple[int, int]:
    """Governing first: by kind, then the later one."""
    return -_RANK[document.kind], -(document.effective or document.issued or date.min).toordinal()


def _covers(target: str, document: str, path: str) -> bool:
    owner, _, place = target.partition(":")
    if owner != document:
        return False
    if not place:
        return True
    if not path:
        return False
    references = find_references(place)
    if not references:
        return path == place or path.startswith(f"{place}·")
    return any(r.matches(Clause("", document, path, (), "", "", "text")) for r in references)


_AMOUNT = re.compile(
    r"(?<![第（(年〔\d.])([〇零一二两三四五六七八九十百千]+|\d+(?:\.\d+)?)\s*(?:个)?"
    r"(工作日|日|天|个月|月|年|人|名|万元|亿元|元|％|%|平方米|项|例|次|家|分之[一二三四五六七八九十]+)(?![月度级批第])"
)
_SAME_UNIT = {"天": "日", "名": "人", "％": "%", "个月": "月"}


def amounts(sentence: str) -> dict[str, set[float]]:
    """The numbers of a sentence by their units; calendar dates (3月26日) are none."""
    sentence = re.sub(r"\d+年(?:度)?|\d{1,2}月\d{1,2}日", " ", sentence)
    found: dict[str, set[float]] = {}
    for match in _AMOUNT.finditer(sentence):
        try:
            value = float(match[1]) if match[1][0].isdigit() else float(numeral(match[1]))
        except ValueError:
            continue
        found.setdefault(_SAME_UNIT.get(match[2], match[2]), set()).add(value)
    return found


def contradiction(one: str, other: str) -> tuple[str, str] | None:
    """Sentences of two texts that say the same with other numbers; None: none found."""
    for a in _sentences(one):
        first = amounts(a)
        if not first:
            continue
        for b in _sentences(other):
            second = amounts(b)
            units = [u for u in first if u in second and not first[u] & second[u]]
            if units and _common(a, b) >= _ALIKE:
                return a, b
    return None


def _sentences(text: str) -> list[str]:
    return [s.strip() for s in re.split(r"[。；;\n]", text) if s.strip()]


def _common(one: str, other: str) -> float:
    words = [{w for w in segments(_AMOUNT.sub(" ", s)) if len(w) > 1} for s in (one, other)]
    small = min(len(w) for w in words)
    return len(words[0] & words[1]) / small if small else 0.0


def searchable(pack: Pack, clause: Clause) -> str:
    """What is indexed of a clause: an imported one with the headings above it, for it may be short ("公示期为七日。")."""
    document = pack.documents.get(clause.document)
    if document is None or not document.imported:
        return clause.text
    heads = [re.sub(r"^第[^\s]{1,6}[章节编]\s*", "", h) for h in clause.headings]
    return " ".join([*(h for h in heads if squeeze(h)), clause.text])


def by_document(quotes: Iterable[Quote]) -> Mapping[str, list[Quote]]:
    """Quotes by their documents, in order."""
    found: dict[str, list[Quote]] = {}
    for quote in quotes:
        found.setdefault(quote.document.id, []).append(quote)
    return found
