"""References to places, differences between readings, and numbers that contradict each other. All texts are made up."""

from __future__ import annotations

import pytest

from knowledge.clauses import parse
from knowledge.differences import differences
from knowledge.quoting import amounts, contradiction
from knowledge.references import find_references, links
from tests.making_files import MEASURES

CLAUSES = parse("measures", MEASURES.read_text("utf-8"))


@pytest.mark.parametrize(
    ("said", "paths"),
    [
        ("第十二条第二款", ["第十二条第二款"]),
        ("第12条第2款", ["第十二条第二款"]),
        ("第 十二 条第三款", ["第十二条第三款"]),
        ("第五条第一款第（二）项", ["第五条第一款第（二）项"]),
        ("第五条第二项", ["第五条第一款第（二）项"]),
        ("第四条第（二）项", ["第四条（二）", "第四条（二）1", "第四条（二）2"]),
        ("第四条第一款第（一）项", ["第四条（一）"]),
        ("第九条", ["第九条"]),
        ("第九条第一款", ["第九条"]),
        ("第九条第二款", []),
        ("第九条之一", []),
        (
            "第二章第二节",
            [
                "第二章第二节",
                "第六条",
                "第七条第一款",
                "第七条·表",
                "第七条第二款",
                "第八条",
                "第九条",
                "第十条",
                "第十一条",
                "第十二条第一款",
                "第十二条第二款",
                "第十二条第三款",
            ],
        ),
    ],
)
def test_a_place_named_in_any_way_is_found(said: str, paths: list[str]) -> None:
    reference = find_references(said)[0]
    assert [c.path for c in CLAUSES if reference.matches(c)] == paths


@pytest.mark.parametrize("said", ["有什么办法", "第一批", "三条建议", "第二天", "附件1"])
def test_what_names_no_place_is_left_alone(said: str) -> None:
    assert find_references(said) == []


def test_a_second_number_belongs_to_the_article_before_it() -> None:
    found = find_references("按照第四条第一款第（一）项和第（三）项判断")
    assert [r.label for r in found] == ["第四条第一款第（一）项", "第四条第一款第（三）项"]


def test_references_in_a_clause_lead_to_their_clauses() -> None:
    clause = next(c for c in CLAUSES if c.path == "第五条第二款")
    led = [(link.reference.label, [c.path for c in link.clauses]) for link in links(clause, CLAUSES)]
    assert led == [("第四条第一款第（一）项", ["第四条（一）"]), ("第四条第一款第（三）项", ["第四条（三）"])]


def test_differences_tell_what_changed_moved_came_and_went() -> None:
    old = parse("m", "某规定\n第一条 甲应当登记。\n第二条 乙应当每年盘点一次。\n第三条 丙自理。\n第四条 丁每月检查。")
    new = parse(
        "m",
        "某规定\n第一条 甲应当登记。\n第二条 乙应当每年盘点两次。\n第三条 丁每月检查。\n第四条 另有规定的除外，从其规定办理。",
    )
    assert [(c.kind, c.old.path if c.old else None, c.new.path if c.new else None) for c in differences(old, new)] == [
        ("changed", "第二条", "第二条"),
        ("moved", "第四条", "第三条"),
        ("added", None, "第四条"),
        ("removed", "第三条", None),
    ]
    shifted = parse(
        "m",
        "某规定\n第一条 甲应当登记。\n第二条 新来的一条。\n第三条 乙应当每年盘点一次。\n第四条 丙自理。\n第五条 丁每月检查。",
    )
    kinds = {c.new.path: c.kind for c in differences(old, shifted) if c.new}
    assert kinds["第五条"] == "moved"
    assert differences(old, old) == []


def test_numbers_that_contradict_each_other_are_found_and_others_are_not() -> None:
    assert contradiction("示范平台的公示期为七日。", "示范平台的公示期为十五日。") is not None
    assert contradiction("固定研发人员不低于30人", "固定研发人员不低于20人") is not None
    assert contradiction("公示期为七日。", "公示期为7日。") is None
    assert contradiction("公示期为七日。", "评审期限为二十日。") is None
    assert contradiction("于3月27日前报送", "于4月20日前报送") is None, "dates are for the milestones"
    assert amounts("科研用房面积1000平方米以上，不少于三年") == {"平方米": {1000.0}, "年": {3.0}}
