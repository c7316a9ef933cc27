"""A pack is checked whole when it is read: what does not stand in the sources, or stands twice, is refused by name.

The broken packs are made for these tests from copies of the product's.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from bot.engines.table import ENGINES
from knowledge.eligibility import decide
from knowledge.loading import PACKS, Pack, load_pack
from knowledge.pack import ASPECTS, SUBJECTS, PackError


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    folder = tmp_path / "copied"
    shutil.copytree(PACKS / "qingdao-tic-2026", folder)
    return folder


def change(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    text = path.read_text("utf-8")
    assert old in text, f"the product's {file} no longer has {old!r}: write this test anew"
    path.write_text(text.replace(old, new, 1), "utf-8")


def refusal(folder: Path) -> str:
    with pytest.raises(PackError) as caught:
        load_pack(folder)
    return str(caught.value)


def test_the_copy_itself_loads(copy: Path) -> None:
    assert load_pack(copy).info.id == "qingdao-tic-2026"


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        ("facts.yaml", "于3月27日前，通过", "于3月28日前，通过", "roster"),
        ("facts.yaml", "科技创新平台建设管理处 85911337", "科技创新平台建设管理处 85911338", "platform_office"),
        ("facts.yaml", "近三年研发费用总额不少于2000万元", "近三年研发费用总额不少于200万元", "rd_total"),
        ("eligibility.yaml", "quote: 年度评价对象为2021年", "quote: 年度评价对象为2020年", "batch"),
        (
            "eligibility.yaml",
            "quote: 未通过绩效评价、不参加或自愿退出",
            "quote: 未通过绩效评价或自愿退出",
            "consequence",
        ),
    ],
)
def test_a_quote_that_does_not_occur_in_its_clause_is_refused_and_named(
    copy: Path, file: str, old: str, new: str, named: str
) -> None:
    change(copy, file, old, new)
    said = refusal(copy)
    assert file in said and named in said and "does not occur in clause" in said


def test_every_quote_is_held_against_the_text_itself(copy: Path) -> None:
    change(copy, "notice.md", "（3月26日-4月7日）", "（3月26日-4月8日）")
    assert "self_evaluation" in refusal(copy)


def test_an_empty_quote_proves_nothing(copy: Path) -> None:
    change(copy, "facts.yaml", "quote: 推荐使用火狐、360、谷歌浏览器登录", 'quote: ""')
    assert "browsers" in refusal(copy)


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("facts.yaml", "closes: 2026-03-27", "closes: soon", ("facts.yaml", "line 7", "milestones.0.closes", "'soon'")),
        ("facts.yaml", "who: [officer]", "who: [mayor]", ("facts.yaml", "line 6", "milestones.0.who", "'mayor'")),
        ("facts.yaml", "    closes: 2026-03-27\n", "", ("facts.yaml", "milestones.0.closes", "required")),
        ("facts.yaml", "    closes: 2026-03-27", "    closes: 2026-03-27\n    colour: red", ("facts.yaml", "colour")),
        ("facts.yaml", "milestones:", "milestones: [", ("facts.yaml", "line", "not valid YAML")),
        (
            "eligibility.yaml",
            "decides: true",
            "decides: maybe",
            ("eligibility.yaml", "conditions.0.decides", "'maybe'"),
        ),
        ("guide.yaml", "tracks:", "tracks: 7 #", ("guide.yaml", "line")),
        ("lexicon.yaml", "company: 企业", "bank: 银行", ("lexicon.yaml", "unit_labels", "bank")),
        ("pack.yaml", "year: 2026", "year: soon", ("pack.yaml", "line 4", "year", "'soon'")),
        ("topics/dates.yaml", "kind: answer", "kind: guess", ("dates.yaml", "line 4", "filing.when.kind", "'guess'")),
        ("topics/dates.yaml", "  aspect: when\n", "", ("dates.yaml", "filing.when.aspect", "required")),
    ],
)
def test_what_is_wrong_in_a_file_is_said_with_file_line_and_field(
    copy: Path, file: str, old: str, new: str, expected: tuple[str, ...]
) -> None:
    change(copy, file, old, new)
    said = refusal(copy)
    for part in expected:
        assert part in said, said


def test_a_half_written_file_is_refused_by_name(copy: Path) -> None:
    path = copy / "topics" / "dates.yaml"
    text = path.read_text("utf-8")
    middle = text.index("  subject:", len(text) // 2)
    path.write_text(text[: middle + len("  sub")], "utf-8")
    assert "dates.yaml" in refusal(copy)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00bad", b"- just\n- a list\n", b"42"])
@pytest.mark.parametrize("file", ["facts.yaml", "pack.yaml", "topics/dates.yaml"])
def test_a_file_of_something_else_is_refused_by_name(copy: Path, file: str, content: bytes) -> None:
    (copy / file).write_bytes(content)
    assert Path(file).name in refusal(copy)


def test_a_text_that_cannot_be_read_is_refused_by_name(copy: Path) -> None:
    (copy / "notice.md").write_bytes(b"\xff\xfe\xff")
    assert "notice.md" in refusal(copy)
    (copy / "notice.md").unlink()
    assert "notice.md" in refusal(copy)


def test_an_unknown_pack_is_answered_with_the_known_ones() -> None:
    with pytest.raises(PackError, match="qingdao-tic-2026"):
        load_pack("qingdao-tic-2099")


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        ("facts.yaml", "  - id: filing\n", "  - id: roster\n", "roster"),
        ("facts.yaml", "  - id: service_centre\n", "  - id: platform_office\n", "platform_office"),
        ("guide.yaml", "      - id: binding\n", "      - id: unit_account\n", "unit_account"),
        ("eligibility.yaml", "  - id: upgraded\n", "  - id: batch\n", "batch"),
        ("topics/dates.yaml", "- id: self_evaluation.when\n", "- id: filing.when\n", "filing.when"),
        ("topics/dates.yaml", "- 自评什么时候做\n", "- 网上申报什么时候截止\n", "网上申报什么时候截止"),
        ("topics/dates.yaml", "- 系统填报到几号结束\n", "- 网上申报什么时候截止\n", "网上申报什么时候截止"),
        ("topics/dates.yaml", "  kind: answer\n", "  kind: answer\n  kind: decline\n", "kind"),
        ("pack.yaml", "year: 2026\n", "year: 2026\nyear: 2027\n", "year"),
    ],
)
def test_what_stands_twice_is_refused(copy: Path, file: str, old: str, new: str, named: str) -> None:
    change(copy, file, old, new)
    said = refusal(copy)
    assert named in said and "twice" in said


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("subject: filing", "subject: filling", "filling"),
        ("aspect: when", "aspect: whenever", "whenever"),
        ("clauses: [五（三）]", "clauses: [五（九）]", "五（九）"),
        ("next: [filing.complete", "next: [filing.nowhere", "filing.nowhere"),
        ("claims: [filing.opens", "claims: [filing.begins", "filing.begins"),
        ("  engine: milestone\n", "", "either an answer or an engine"),
        ("  engine: milestone\n", "  engine: milestone\n  answer: 4月7日\n", "either an answer or an engine"),
        ("  kind: answer\n", "  kind: decline\n", "needs a reason"),
    ],
)
def test_a_topic_that_refers_to_nothing_is_refused_and_named(copy: Path, old: str, new: str, named: str) -> None:
    change(copy, "topics/dates.yaml", old, new)
    said = refusal(copy)
    assert "filing.when" in said and named in said


def test_a_duty_that_opens_after_it_closes_is_refused(copy: Path) -> None:
    change(copy, "facts.yaml", "opens: 2026-04-20", "opens: 2026-05-20")
    assert "evaluation" in refusal(copy)


def test_subjects_and_aspects_of_topics_and_follow_ups_are_of_the_closed_lists(pack: Pack) -> None:
    assert {t.subject for t in pack.topics.values()} <= SUBJECTS
    assert {t.aspect for t in pack.topics.values()} <= ASPECTS
    assert set(pack.lexicon.follow_ups.subjects) <= SUBJECTS
    assert set(pack.lexicon.follow_ups.aspects) <= ASPECTS


def test_every_engine_that_a_topic_names_exists(pack: Pack) -> None:
    assert {t.engine for t in pack.topics.values() if t.engine} <= set(ENGINES)


def test_the_pack_is_as_large_as_promised(pack: Pack) -> None:
    kinds = [t.kind for t in pack.topics.values()]
    assert kinds.count("answer") >= 90
    assert kinds.count("decline") >= 40
    assert min(len(t.samples) for t in pack.topics.values() if t.kind in ("answer", "decline")) >= 8
    assert all(len(t.title) <= 18 for t in pack.topics.values())


def test_the_measures_are_declared_and_missing_and_nothing_is_cited_from_them(pack: Pack) -> None:
    measures = pack.documents["measures"]
    assert measures.file is None and measures.number == "青科字〔2024〕24号"
    assert not [c for c in pack.clauses if c.startswith("measures:")]


def test_adding_a_round_needs_no_code(copy: Path) -> None:
    """A copy with other batches decides by its own data."""
    text = (copy / "eligibility.yaml").read_text("utf-8")
    data = yaml.safe_load(text)
    data["conditions"][0]["met"] = ["2023"]
    (copy / "eligibility.yaml").write_text(yaml.safe_dump(data, allow_unicode=True), "utf-8")
    rules = load_pack(copy).eligibility
    assert decide(rules, {"batch": "2023", "upgraded": "no"}).verdict == "in_scope"
    assert decide(rules, {"batch": "2021", "upgraded": "no"}).verdict == "not_in_scope"
