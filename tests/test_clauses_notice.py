"""The clauses of the real notice: the paths that facts and topics cite, and not a character lost."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
import yaml

from knowledge.clauses import Clause, parse, parse_report

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "tests" / "data" / "notice-2026.txt"
PACK = ROOT / "knowledge" / "packs" / "qingdao-tic-2026"

LINES = """
标题 主送 引言 一 二 三
四 四（一） 四（二） 四（三）
五 五（一） 五（一）·第2段 五（一）·第3段 五（二） 五（二）1 五（二）2 五（二）3 五（三）
六 六（一） 六（二） 六（二）·第2段 六（三） 六（四）
七 七（一） 七（二） 附件清单 落款
附件1
附件1·一 附件1·一·1 附件1·一·2
附件1·二 附件1·二·1 附件1·二·2 附件1·二·3
附件1·三 附件1·三·1 附件1·三·2 附件1·三·3 附件1·三·4
附件1·四 附件1·四·1 附件1·四·2
附件1·五 附件1·五·1 附件1·五·2
附件1·六 附件1·六·1 附件1·六·2
附件1·六·2（1） 附件1·六·2（2） 附件1·六·2（3） 附件1·六·2（4）
附件1·六·3 附件1·落款
附件2 附件2·表 附件3 附件3·表
"""
PATHS = LINES.split()

HEADINGS = {"标题", "四", "五", "五（二）", "六", "七", "附件1", "附件2", "附件3"} | {
    f"附件1·{number}" for number in "一二三四五"
}


@pytest.fixture(params=[SOURCE, PACK / "notice.md"], ids=["source", "pack"])
def text(request: pytest.FixtureRequest) -> str:
    path: Path = request.param
    return path.read_text(encoding="utf-8")


@pytest.fixture
def clauses(text: str) -> dict[str, Clause]:
    return {clause.path: clause for clause in parse("notice", text)}


def test_the_paths_are_complete_and_in_order(text: str) -> None:
    assert [clause.path for clause in parse("notice", text)] == PATHS


def test_every_character_of_the_source_is_in_the_clauses_exactly_once(text: str) -> None:
    words = "".join(clause.text for clause in parse("notice", text))
    assert "".join(words.split()) == "".join(SOURCE.read_text(encoding="utf-8").split())


def test_nothing_is_left_over_and_nothing_is_uncertain(text: str) -> None:
    report = parse_report("notice", text)
    assert (report.leftovers, report.uncertainties) == ((), ())


def test_the_pack_and_the_source_give_the_same_clauses() -> None:
    assert parse("notice", SOURCE.read_text("utf-8")) == parse("notice", (PACK / "notice.md").read_text("utf-8"))


@pytest.mark.parametrize("width", range(25, 45))
def test_the_notice_set_in_lines_of_any_width_gives_the_same_clauses(width: int) -> None:
    notice = (PACK / "notice.md").read_text("utf-8")
    lines = []
    for line in notice.split("\n"):
        indented = line if len(line) < 12 and line[:1] not in "一二三四五六七（" else f"\u3000\u3000{line}"
        wrapped = [indented[at : at + width] for at in range(0, len(indented), width)]
        lines += [line] if line.startswith("|") else wrapped
    found = parse("notice", "\n".join(lines))
    assert [(clause.path, clause.digest) for clause in found] == [
        (clause.path, clause.digest) for clause in parse("notice", notice)
    ]


def test_kinds_tell_headings_text_and_tables(clauses: dict[str, Clause]) -> None:
    assert {path for path, clause in clauses.items() if clause.kind == "heading"} == HEADINGS
    assert {path for path, clause in clauses.items() if clause.kind == "table"} == {"附件2·表", "附件3·表"}


def test_a_heading_and_the_paragraph_under_it_are_one_clause(clauses: dict[str, Clause]) -> None:
    assert clauses["一"].text.startswith("一、评价对象\n年度评价对象为2021年")
    assert clauses["五（一）"].text.startswith("（一）网上申报\n绩效评价采用全程在线方式进行")
    assert clauses["附件1·六"].text.endswith("作出承诺如下：")


def test_contacts_stand_on_lines_of_their_own(clauses: dict[str, Clause]) -> None:
    assert clauses["七（一）"].text.split("\n") == [
        "（一）业务咨询",
        "科技创新平台建设管理处 85911337",
        "青岛市科技服务中心 88728795",
    ]


def test_the_words_before_a_first_item_belong_to_it(clauses: dict[str, Clause]) -> None:
    assert clauses["附件1·一"].text == "一、中心的研究定位"
    assert clauses["附件1·一·1"].text.startswith("主要包括：1.发展定位与创新规划。①")
    assert "②" in clauses["附件1·一·1"].text


def test_headings_lead_to_the_clause(clauses: dict[str, Clause]) -> None:
    assert clauses["五（一）·第2段"].headings == ("五、系统填报", "（一）网上申报")
    assert clauses["六（二）·第2段"].headings == ("六、有关要求",)
    assert clauses["附件1·五·1"].headings == (
        "附件1 青岛市******技术创新中心绩效评价编写提纲",
        "五、中心的运行管理",
    )


def test_tables_keep_their_columns(clauses: dict[str, Clause]) -> None:
    assert clauses["附件2·表"].text.split("\t") == ["序号", "中心名称", "牵头建设单位", "负责人", "联系人"]
    assert clauses["附件3·表"].text.split("\t") == ["单位", "姓名", "职务", "联系方式 办公电话+手机"]


def test_ids_and_digests_are_stable(clauses: dict[str, Clause]) -> None:
    clause = clauses["四"]
    assert clause.id == "notice:四"
    assert clause.digest == sha256("notice\n四\n四、评价程序".encode()).hexdigest()


def test_every_quote_of_the_typed_facts_stands_in_the_clause_it_names(clauses: dict[str, Clause]) -> None:
    facts = yaml.safe_load((PACK / "facts.yaml").read_text("utf-8"))
    entries = [entry for group in facts.values() for entry in group]
    assert entries
    assert [entry for entry in entries if entry["quote"] not in clauses[entry["clause"]].text] == []
