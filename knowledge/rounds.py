"""A new round: the pack of the last one copied, with the new notice in it, and everything that rests on a
changed clause marked for a person to confirm. `load_pack` refuses a pack with an unconfirmed entry.

    review.yaml     from, notice, and one entry an item: id, file, why, clauses, was, now, confirmed
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from knowledge.clauses import Clause, parse, squeeze
from knowledge.differences import Change, differences
from knowledge.loading import REVIEW, Pack, clause_id, load_pack, read_yaml
from knowledge.pack import PackError
from knowledge.readers import read


@dataclass
class Item:
    """One thing to confirm.

    Attributes:
        id: e.g. "fact:filing", "topic:filing.when", "rule:batch", "field:centre.centre_name", "question:d001".
        why: changed, removed (its clause is gone), moved, or year (it bears a date of the round).
        clauses: The clauses it rests on that are not as they were; for `year`, all of them.
        was, now: Their words before and after.
        quote: What must occur in the clause, where the item quotes it.
        confirmed: Who confirmed it and when.
    """

    id: str
    file: str
    why: str
    clauses: list[str]
    was: str = ""
    now: str = ""
    quote: str | None = None
    confirmed: str | None = None


@dataclass
class Review:
    """review.yaml."""

    origin: str
    notice: str
    items: list[Item] = field(default_factory=list)

    @classmethod
    def read(cls, folder: Path) -> Review:
        """Read a pack's review. Raises PackError where it has none, or one that cannot be read."""
        path = folder / REVIEW
        data = read_yaml(path)
        try:
            return cls(data["from"], data["notice"], [Item(**item) for item in data["items"]])
        except (KeyError, TypeError) as error:
            raise PackError(f"{path}: {error}; expected what `qtic pack new` writes") from error

    def write(self, folder: Path) -> None:
        """Write it, at once or not at all."""
        data = {"from": self.origin, "notice": self.notice, "items": [asdict(i) for i in self.items]}
        aside = folder / f".{REVIEW}.part"
        aside.write_text(
            "# Written by `qtic pack new`; `qtic pack confirm` fills in `confirmed`.\n"
            + yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=200),
            "utf-8",
        )
        aside.replace(folder / REVIEW)

    @property
    def open(self) -> list[Item]:
        """What is not confirmed yet."""
        return [i for i in self.items if not i.confirmed]


def new_round(year: int, origin: Path | str, notice: Path, target: Path, questions: Iterable[Path] = ()) -> Review:
    """Copy a pack for a new round, with its notice; the review that says what to confirm.

    Args:
        target: The new pack's folder; must not exist.
        questions: Question sets (JSON lines) whose cases may rest on clauses that have changed.

    Raises:
        PackError: The old pack cannot be used, or the target exists.
        ReaderError: The notice cannot be read.
    """
    old = load_pack(origin)
    if target.exists():
        raise PackError(f"{target} exists already; remove it first, or give another folder")
    source = read(notice)
    spec = next((d for d in old.info.documents if d.kind == "notice" and d.file), None)
    if spec is None or spec.file is None:
        raise PackError(f"{old.folder.name}: expected a notice among its documents")
    clauses = parse(spec.id, source.text)
    before = [c for c in old.clauses.values() if c.document == spec.id]
    items = list(_items(old, differences(before, clauses), questions))
    aside = target.with_name(f".{target.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        shutil.copytree(old.folder, aside)
        (aside / REVIEW).unlink(missing_ok=True)
        (aside / spec.file).write_text(source.text, "utf-8")
        _write_info(
            aside, old, year, target.name, spec.id, next((c.text for c in clauses if c.path == "标题"), spec.title)
        )
        review = Review(old.info.id, notice.name, items)
        review.write(aside)
        aside.replace(target)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return review


def _write_info(folder: Path, old: Pack, year: int, pack_id: str, notice: str, title: str) -> None:
    """pack.yaml with the new year, and what only the old notice can have said of itself left out."""
    data: dict[str, Any] = read_yaml(folder / "pack.yaml")
    data.update(id=pack_id, year=year)
    for key in ("title", "short"):
        data[key] = str(data[key]).replace(str(old.info.year), str(year))
    for document in data["documents"]:
        if document["id"] == notice:
            document["title"] = "".join(title.split())
            document.pop("issued", None)
            document.pop("number", None)
    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True)
    (folder / "pack.yaml").write_text(text, "utf-8")


def _items(pack: Pack, changes: Sequence[Change], questions: Iterable[Path]) -> Iterable[Item]:
    by_id = {c.old.id: c for c in changes if c.old is not None}
    # A notice of another year bears other dates even where its words are the same.
    for group in (pack.facts.milestones, pack.facts.contacts, pack.facts.thresholds, pack.facts.values):
        for fact in group:
            item = _item(f"fact:{fact.id}", "facts.yaml", (fact.clause,), by_id, fact.quote)
            if item is None and fact.id in pack.milestones:
                words = pack.clause(fact.clause).text
                item = Item(f"fact:{fact.id}", "facts.yaml", "year", [clause_id(fact.clause)], words, words, fact.quote)
            if item is not None:
                yield item
    rules = [(f"rule:{c.id}", c.clause, c.quote) for c in pack.eligibility.conditions]
    rules.append(("rule:consequence", pack.eligibility.consequence.clause, pack.eligibility.consequence.quote))
    for name, clause, quote in rules:
        yield from _some(_item(name, "eligibility.yaml", (clause,), by_id, quote))
    for track in pack.guide.tracks:
        for step in track.steps:
            yield from _some(_item(f"step:{track.id}.{step.id}", "guide.yaml", step.clauses, by_id))
    # A topic that uses a fact in its words rests on the fact's clause too.
    facts: dict[str, str] = {
        f.id: f.clause
        for group in (pack.facts.milestones, pack.facts.contacts, pack.facts.thresholds, pack.facts.values)
        for f in group
    }
    for topic in pack.topics.values():
        named = re.findall(r"(?:date|span|state|phone|value|threshold)\('([\w.]+)'\)", topic.answer or "")
        named += [claim.split(".")[0] for claim in topic.claims]
        clauses = (*topic.clauses, *(facts[n.split(".")[0]] for n in named if n.split(".")[0] in facts))
        yield from _some(_item(f"topic:{topic.id}", "topics", clauses, by_id))
    for file in ("form.yaml", "exports.yaml"):
        if (pack.folder / file).is_file():
            for name, clause in _placed(read_yaml(pack.folder / file), ()):
                yield from _some(_item(f"field:{name}", file, (clause,), by_id))
    for path in questions:
        yield from _cases(path, [c for c in changes if c.old is not None])


def _some(item: Item | None) -> Iterable[Item]:
    return () if item is None else (item,)


def _item(
    name: str, file: str, refs: Iterable[str], changed: Mapping[str, Change], quote: str | None = None
) -> Item | None:
    hit = [changed[i] for i in dict.fromkeys(clause_id(r) for r in refs) if i in changed]
    if not hit:
        return None
    kinds = [c.kind for c in hit]
    why = next(k for k in ("removed", "changed", "moved") if k in kinds)
    return Item(
        name,
        file,
        why,
        [c.old.id for c in hit if c.old],
        "\n".join(c.old.text for c in hit if c.old),
        "\n".join(f"[{c.new.path}] {c.new.text}" for c in hit if c.new),
        quote,
    )


def _placed(node: Any, where: tuple[str, ...]) -> Iterable[tuple[str, str]]:
    """Everything in a data file that names a `clause` (or `table`), by its ids from the top."""
    if isinstance(node, Mapping):
        here = (*where, str(node["id"])) if "id" in node else where
        for key, value in node.items():
            if key in ("clause", "table", "clauses"):
                for ref in [value] if isinstance(value, str) else value or []:
                    yield ".".join(here) or key, str(ref)
            else:
                yield from _placed(value, here if "id" in node or not isinstance(value, Mapping) else (*here, str(key)))
    elif isinstance(node, list):
        for entry in node:
            yield from _placed(entry, where)


def _cases(path: Path, changes: Sequence[Change]) -> Iterable[Item]:
    """Test questions whose cited words stood in a clause that has changed, and do not stand in it any more."""
    for line in path.read_text("utf-8").splitlines():
        if not line.strip():
            continue
        case = json.loads(line)
        words = [squeeze(str(w)) for w in case.get("cite", ())]
        hit = [
            c
            for c in changes
            if c.old is not None
            and any(w in squeeze(c.old.text) and w not in squeeze(c.new.text if c.new else "") for w in words)
        ]
        if hit:
            yield Item(
                f"question:{case['id']}",
                path.name,
                "changed",
                [c.old.id for c in hit if c.old],
                "\n".join(c.old.text for c in hit if c.old),
                "\n".join(c.new.text for c in hit if c.new),
            )


def confirm(folder: Path, names: Sequence[str], by: str, now: datetime) -> Review:
    """Confirm entries of a review by their ids (`fact:*` for all of a kind); the review as it is then.

    Raises:
        PackError: There is no such entry, or it still quotes what its clause does not say: it has to be put
            right in its file first.
    """
    review = Review.read(folder)
    chosen: list[Item] = []
    for name in names:
        hit = [i for i in review.items if i.id == name or (name.endswith("*") and i.id.startswith(name[:-1]))]
        if not hit:
            raise PackError(
                f"{folder.name}: nothing to confirm is called {name!r}; `qtic pack review {folder.name}` lists them"
            )
        chosen += hit
    data = _quotes(folder)
    clauses = _clauses(folder)
    for item in chosen:
        if item.id in data:
            ref, quote = data[item.id]
            clause = clauses.get(clause_id(ref))
            if clause is None:
                raise PackError(
                    f"{folder.name}/{item.file}: {item.id}: there is no clause {ref!r} in the new notice; "
                    "give the clause that says it now, or remove the entry"
                )
            if squeeze(quote) not in squeeze(clause.text):
                raise PackError(
                    f"{folder.name}/{item.file}: {item.id}: the quote {quote!r} does not occur in clause {ref!r}, "
                    f"which now says: {clause.text[:80]!r}; put the entry right first"
                )
        item.confirmed = f"{by}, {now:%Y-%m-%d %H:%M}"
    review.write(folder)
    return review


def _quotes(folder: Path) -> dict[str, tuple[str, str]]:
    """The clause and quote of every fact and rule as its file has them now."""
    found: dict[str, tuple[str, str]] = {}
    for group in read_yaml(folder / "facts.yaml").values():
        found |= {f"fact:{f['id']}": (f["clause"], f["quote"]) for f in group}
    rules = read_yaml(folder / "eligibility.yaml")
    found |= {f"rule:{c['id']}": (c["clause"], c["quote"]) for c in rules["conditions"]}
    return found | {"rule:consequence": (rules["consequence"]["clause"], rules["consequence"]["quote"])}


def _clauses(folder: Path) -> dict[str, Clause]:
    found: dict[str, Clause] = {}
    for document in read_yaml(folder / "pack.yaml")["documents"]:
        if document.get("file"):
            text = (folder / document["file"]).read_text("utf-8")
            found |= {c.id: c for c in parse(document["id"], text)}
    return found
