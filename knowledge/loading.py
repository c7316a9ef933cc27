"""Reading a pack's folder and checking everything in it against everything else."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError

from knowledge.clauses import Clause, parse
from knowledge.eligibility import EligibilityRules
from knowledge.guide import Guide
from knowledge.lexicon import Lexicon
from knowledge.pack import (
    ASPECTS,
    SUBJECTS,
    Contact,
    DocumentSpec,
    Fact,
    Facts,
    Milestone,
    PackError,
    Threshold,
    Topic,
    TopicKind,
    Value,
)

PACKS = Path(__file__).parent / "packs"
REVIEW = "review.yaml"
"""In the pack of a new round: what is to be confirmed (`knowledge.rounds`)."""
_T = TypeVar("_T")
_TOPICS = TypeAdapter(tuple[Topic, ...])
_BLANKS = re.compile(r"\s+")


class PackInfo(BaseModel):
    """pack.yaml."""

    id: str
    title: str
    short: str
    year: int
    time_zone: str
    documents: tuple[DocumentSpec, ...]


@dataclass(frozen=True)
class Pack:
    """A loaded pack. `clauses` by id; `topics` by id, in file order; `questions` that lead to a clause, by its id."""

    folder: Path
    info: PackInfo
    clauses: Mapping[str, Clause]
    facts: Facts
    eligibility: EligibilityRules
    guide: Guide
    lexicon: Lexicon
    topics: Mapping[str, Topic]
    negatives: tuple[str, ...]
    questions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    milestones: Mapping[str, Milestone] = field(init=False)
    contacts: Mapping[str, Contact] = field(init=False)
    thresholds: Mapping[str, Threshold] = field(init=False)
    values: Mapping[str, Value] = field(init=False)
    documents: Mapping[str, DocumentSpec] = field(init=False)

    def __post_init__(self) -> None:
        for name in ("milestones", "contacts", "thresholds", "values"):
            object.__setattr__(self, name, {f.id: f for f in getattr(self.facts, name)})
        object.__setattr__(self, "documents", {d.id: d for d in self.info.documents})

    def clause(self, ref: str) -> Clause:
        """The clause of a reference ("四（一）" or "notice:四（一）"). Raises PackError where there is none."""
        try:
            return self.clauses[clause_id(ref)]
        except KeyError:
            raise PackError(f"{self.folder.name}: no clause {ref!r}") from None


def clause_id(ref: str) -> str:
    """A bare path is a clause of the notice."""
    return ref if ":" in ref else f"notice:{ref}"


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Refuses a key that stands twice; plain YAML loaders let the last one win without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Build a mapping. Raises ConstructorError at a repeated key."""
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands twice", key.start_mark
                )
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else id(key))
        return super().construct_mapping(node, deep=deep)  # type: ignore[no-any-return]


def read_yaml(path: Path) -> Any:
    """Parse a YAML file. Raises PackError that names file, line and problem."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PackError(f"{path}: cannot be read ({error}); expected a YAML file in UTF-8") from error
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise PackError(f"{path}{line}: not valid YAML ({getattr(error, 'problem', None) or error})") from error


def _validated(path: Path, adapter: TypeAdapter[_T], data: Any) -> _T:
    try:
        return adapter.validate_python(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = list(first["loc"])
        if place and isinstance(place[0], int) and isinstance(data, list) and isinstance(data[place[0]], dict):
            place[0] = data[place[0]].get("id", place[0])
        where = ".".join(str(p) for p in place) or "top level"
        line = _line_of(path, first["loc"])
        found = str(first.get("input"))
        raise PackError(
            f"{path}{f', line {line}' if line else ''}: {where}: {first['msg']} (found {found[:60]!r})"
        ) from error


def _line_of(path: Path, place: tuple[int | str, ...]) -> int | None:
    """The line where the named place of a YAML file stands, or its nearest parent."""
    node = yaml.compose(path.read_text("utf-8"), Loader=_Loader)
    for part in place:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
        elif isinstance(node, yaml.MappingNode):
            child = next((v for k, v in node.value if str(k.value) == str(part)), None)
            if child is None:
                break
            node = child
        else:
            break
    return node.start_mark.line + 1 if node else None


def _model(path: Path, kind: type[_T]) -> _T:
    return _validated(path, TypeAdapter(kind), read_yaml(path))


def load_pack(name: str | Path) -> Pack:
    """Load and check a pack by name or folder.

    Raises:
        PackError: Something is missing, malformed or contradicts the sources; the message names the
            file, the place, and what was expected.
    """
    folder = Path(name) if Path(name).is_dir() else PACKS / str(name)
    if not (folder / "pack.yaml").is_file():
        known = ", ".join(sorted(p.name for p in PACKS.iterdir() if p.is_dir()))
        raise PackError(f"no pack {str(name)!r}: expected a folder with a pack.yaml, or one of: {known}")
    _refuse_unconfirmed(folder)
    info = _model(folder / "pack.yaml", PackInfo)
    clauses: dict[str, Clause] = {}
    for document in info.documents:
        if document.file:
            path = folder / document.file
            try:
                text = path.read_text("utf-8")
            except (OSError, UnicodeDecodeError) as error:
                expected = f"expected the text of {document.title}"
                raise PackError(f"{path}: cannot be read ({error}); {expected}") from error
            clauses |= {c.id: c for c in parse(document.id, text)}
    topics: dict[str, Topic] = {}
    for path in sorted((folder / "topics").glob("*.yaml")):
        for topic in _validated(path, _TOPICS, read_yaml(path)):
            if topic.id in topics:
                raise PackError(f"{path}: topic {topic.id!r} stands twice")
            topics[topic.id] = topic
    negatives = folder / "negatives.yaml"
    pack = Pack(
        folder=folder,
        info=info,
        clauses=clauses,
        facts=_model(folder / "facts.yaml", Facts),
        eligibility=_model(folder / "eligibility.yaml", EligibilityRules),
        guide=_model(folder / "guide.yaml", Guide),
        lexicon=_model(folder / "lexicon.yaml", Lexicon),
        topics=topics,
        negatives=_model(negatives, tuple[str, ...]) if negatives.exists() else (),
    )
    _check(pack)
    return pack


def _refuse_unconfirmed(folder: Path) -> None:
    """A new round is not served before a person has confirmed everything that its notice may have changed."""
    path = folder / REVIEW
    if not path.is_file():
        return
    data = read_yaml(path)
    if not isinstance(data, dict) or not isinstance(data.get("items"), list):
        raise PackError(f"{path}: expected what `qtic pack new` writes")
    waiting = [str(i["id"]) for i in data["items"] if not i.get("confirmed")]
    if waiting:
        raise PackError(
            f"{folder.name}: {len(waiting)} of {len(data['items'])} entries are not confirmed against the new notice "
            f"({', '.join(waiting[:3])}{', …' if len(waiting) > 3 else ''}); see them with `qtic pack review {folder}` "
            f"and confirm each with `qtic pack confirm {folder} ID`"
        )


def _check(pack: Pack) -> None:
    facts: list[tuple[str, Fact]] = [
        (f"facts.yaml: {f.id}", f)
        for group in (pack.facts.milestones, pack.facts.contacts, pack.facts.thresholds, pack.facts.values)
        for f in group
    ]
    quoted = [(name, f.clause, f.quote) for name, f in facts]
    quoted += [(f"eligibility.yaml: {c.id}", c.clause, c.quote) for c in pack.eligibility.conditions]
    consequence = pack.eligibility.consequence
    quoted.append(("eligibility.yaml: consequence", consequence.clause, consequence.quote))
    _check_once(pack)
    for milestone in pack.facts.milestones:
        if milestone.opens and milestone.opens > milestone.closes:
            raise PackError(
                f"{pack.folder.name}/facts.yaml: {milestone.id}: opens after it closes; expected the reverse"
            )
    for name, ref, quote in quoted:
        if not _BLANKS.sub("", quote):
            raise PackError(f"{pack.folder.name}/{name}: the quote is empty; expected words of clause {ref!r}")
        if _BLANKS.sub("", quote) not in _BLANKS.sub("", pack.clause(ref).text):
            raise PackError(f"{pack.folder.name}/{name}: the quote {quote!r} does not occur in clause {ref!r}")
    for step in pack.guide.steps():
        for ref in step.clauses:
            pack.clause(ref)
    words = pack.lexicon.follow_ups
    for kind, named, known in (("subjects", words.subjects, SUBJECTS), ("aspects", words.aspects, ASPECTS)):
        if unknown := set(named) - known:
            raise PackError(
                f"{pack.folder.name}/lexicon.yaml: follow_ups.{kind}: {min(unknown)!r}; "
                f"expected one of: {', '.join(sorted(known))}"
            )
    claims = {f"{m.id}.{end}" for m in pack.facts.milestones for end in ("opens", "closes")} | set(pack.thresholds)
    seen: dict[str, str] = {}
    for topic in pack.topics.values():
        _check_topic(pack, topic, claims)
        for sample in (*topic.samples, *topic.heldout):
            if sample in seen:
                raise PackError(
                    f"{pack.folder.name}/topics: {sample!r} stands twice, in {seen[sample]!r} and in {topic.id!r}; "
                    "expected once"
                )
            seen[sample] = topic.id


def _check_once(pack: Pack) -> None:
    """Every id stands once in its list."""
    facts, rules, guide = pack.facts, pack.eligibility, pack.guide
    lists: list[tuple[str, Iterable[str]]] = [
        (f"facts.yaml: {name}", [f.id for f in getattr(facts, name)])
        for name in ("milestones", "contacts", "thresholds", "values")
    ]
    lists += [
        ("pack.yaml: documents", [d.id for d in pack.info.documents]),
        ("eligibility.yaml: conditions", [c.id for c in rules.conditions]),
        ("guide.yaml: tracks", [t.id for t in guide.tracks]),
    ]
    lists += [(f"guide.yaml: {t.id}", [s.id for s in t.steps]) for t in guide.tracks]
    for where, ids in lists:
        if twice := [i for i, count in Counter(ids).items() if count > 1]:
            raise PackError(f"{pack.folder.name}/{where}: {twice[0]!r} stands twice; expected each id once")


def _check_topic(pack: Pack, topic: Topic, claims: Iterable[str]) -> None:
    where = f"{pack.folder.name}/topics: {topic.id}"
    if topic.subject not in SUBJECTS:
        raise PackError(f"{where}: subject {topic.subject!r}; expected one of: {', '.join(sorted(SUBJECTS))}")
    if topic.aspect not in ASPECTS:
        raise PackError(f"{where}: aspect {topic.aspect!r}; expected one of: {', '.join(sorted(ASPECTS))}")
    for ref in topic.clauses:
        if clause_id(ref) not in pack.clauses:
            raise PackError(f"{where}: no clause {ref!r}")
    for other in topic.next:
        if other not in pack.topics:
            raise PackError(f"{where}: next names {other!r}, which is no topic")
    for claim in topic.claims:
        if claim not in claims:
            raise PackError(f"{where}: claims names {claim!r}, which is no fact")
    if (topic.answer is None) == (topic.engine is None):
        raise PackError(f"{where}: expected either an answer or an engine")
    if topic.kind in (TopicKind.DECLINE, TopicKind.REFUSE) and not topic.reason:
        raise PackError(f"{where}: kind {topic.kind} needs a reason")
    if not topic.samples:
        raise PackError(f"{where}: expected at least one sample question")
