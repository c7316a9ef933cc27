"""Clauses of official documents: each way of numbering, each trap, and what holds for every document.

All texts here are made up for tests, except where a test reads the pack.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.clauses import parse, parse_report, squeeze
from knowledge.clauses.numbering import chinese, numeral

MEASURES = Path(__file__).parent / "data" / "made_up_measures.txt"


def paths(text: str) -> list[str]:
    return [clause.path for clause in parse("d", text)]


def texts(text: str) -> dict[str, str]:
    return {clause.path: clause.text for clause in parse("d", text)}


NUMBERING = {
    "chinese numerals": ("一、甲。\n二、乙。", ["一", "二"]),
    "bracketed numerals": ("一、甲\n（一）乙。\n（二）丙。", ["一", "一（一）", "一（二）"]),
    "half-width brackets": ("一、甲\n(一)乙。\n(二)丙。", ["一", "一（一）", "一（二）"]),
    "arabic, full stop": ("一、甲\n1.乙。\n2. 丙。", ["一", "一·1", "一·2"]),
    "arabic, wide full stop": ("一、甲\n１．乙。\n２．丙。", ["一", "一·1", "一·2"]),
    "arabic, comma": ("一、甲\n1、乙。\n2、丙。", ["一", "一·1", "一·2"]),
    "arabic before a year": ("一、甲\n1.2024年的报告。\n2.2025年的报告。", ["一", "一·1", "一·2"]),
    "arabic under brackets": (
        "一、甲\n（一）乙\n1.丙；\n2.丁。",
        ["一", "一（一）", "一（一）1", "一（一）2"],
    ),
    "bracketed arabic": ("一、甲\n1.乙：\n（1）丙；\n（2）丁。", ["一", "一·1", "一·1（1）", "一·1（2）"]),
    "circled at line starts": ("一、甲\n1.乙：\n①丙；\n②丁。", ["一", "一·1", "一·1·①", "一·1·②"]),
    "circled in the line": ("一、甲\n1.乙。①丙；②丁。\n2.戊。", ["一", "一·1", "一·2"]),
    "articles": ("第一条 甲。\n第二条　乙。\n第三条 丙。", ["第一条", "第二条", "第三条"]),
    "articles with blanks within": ("第 一 条 甲。\n第 二 条 乙。", ["第一条", "第二条"]),
    "articles without a blank": ("第一条为了甲，制定本办法。\n第二条申请人应当乙。", ["第一条", "第二条"]),
    "an article set in between": (
        "第一条 甲。\n第一条之一 乙。\n第二条 丙。",
        ["第一条", "第一条之一", "第二条"],
    ),
    "chapters and sections": (
        "第一章 总则\n第一条 甲。\n第二章 认定\n第一节 条件\n第二条 乙。\n第二节 程序\n第三条 丙。",
        ["第一章", "第一条", "第二章", "第二章第一节", "第二条", "第二章第二节", "第三条"],
    ),
    "paragraphs of an article": (
        "第一条 甲。\n乙。\n第二条 丙。",
        ["第一条第一款", "第一条第二款", "第二条"],
    ),
    "items of an article": (
        "第一条 甲：\n（一）乙；\n（二）丙。",
        ["第一条", "第一条（一）", "第一条（二）"],
    ),
    "items of one of two paragraphs": (
        "第一条 甲：\n（一）乙；\n（二）丙：\n1.丁；\n2.戊。\n己。",
        [
            "第一条第一款",
            "第一条第一款第（一）项",
            "第一条第一款第（二）项",
            "第一条第一款第（二）项第1目",
            "第一条第一款第（二）项第2目",
            "第一条第二款",
        ],
    ),
    "a lead before the first item": ("一、甲\n主要包括：1.乙。\n2.丙。", ["一", "一·1", "一·2"]),
    "a paragraph without a number": ("一、甲\n乙。\n丙。", ["一", "一·第2段"]),
    "an attachment": ("一、甲。\n\n附件1\n\n某某表\n\n一、乙。", ["一", "附件1", "附件1·一"]),
    "an attachment without a number": ("一、甲。\n\n附件\n\n某某表\n\n一、乙。", ["一", "附件", "附件·一"]),
    "a pipe table": ("一、甲。\n| 乙 | 丙 |\n| --- | --- |\n| 丁 | 戊 |\n二、己。", ["一", "一·表", "二"]),
    "a tab table": ("一、甲。\n\t乙\n\t丙\n\t丁\n二、己。", ["一", "一·表", "二"]),
    "a pipe table after tabs": (
        "一、甲。\n\t乙\n\t丙\n\t| 丁 | 戊 |\n二、己。",
        ["一", "一·表", "一·表#2", "二"],
    ),
    "a number twice": ("一、甲。\n二、乙。\n一、丙。", ["一", "二", "一#2"]),
}


@pytest.mark.parametrize(("text", "expected"), NUMBERING.values(), ids=NUMBERING.keys())
def test_each_way_of_numbering_has_its_paths(text: str, expected: list[str]) -> None:
    assert paths("某某通知\n各单位：\n" + text)[2:] == expected


LONG = "市级平台的建设单位应当在规定的期限以内完成全部材料的填报工作并且"

TRAPS = {
    "an article named at a line's start": (f"第四条 {LONG}按照\n第五条规定办理。", ["第四条"]),
    "the next article, no word that tells": (
        f"第一条 {LONG}按照\n第二条报送。\n第二条 乙。",
        ["第一条", "第二条"],
    ),
    "the next article with a blank": (
        f"第一条 {LONG}按照\n第二条 的规定报送。\n第二条 乙。",
        ["第一条", "第二条"],
    ),
    "a paragraph of an article": (f"第一条 {LONG}依照本办法\n第十二条第二款规定办理。", ["第一条"]),
    "an item of an article": (f"第一条 {LONG}不符合第一条第\n（一）项规定的，不予办理。", ["第一条"]),
    "articles in a row": (
        f"第一条 {LONG}符合第二条、\n第三条、第四条的办理。\n第二条 乙。",
        ["第一条", "第二条"],
    ),
    "a sentence that opens with an article": (
        "第一条 甲。\n第五条所列材料另行报送。",
        ["第一条第一款", "第一条第二款"],
    ),
    "an attachment at a line's start": (f"一、{LONG}填写申请书，见\n附件1\n的要求。\n二、乙。", ["一", "二"]),
    "an attachment's number torn off": (f"第一条 {LONG[:20]}填写附件\n1、附件2并报送。", ["第一条"]),
    "attachments in a row": (f"一、{LONG}填写\n附件1、附件2并报送。\n二、乙。", ["一", "二"]),
    "a chapter named": (
        f"第一章 总则\n第一条 {LONG}依照\n第二章的规定。\n第二章 乙\n第二条 丙。",
        ["第一章", "第一条", "第二章", "第二条"],
    ),
    "numerals in a row": (f"一、{LONG}获得国家\n一、二等奖的优先。\n二、乙。", ["一", "二"]),
    "a decimal number": (f"一、{LONG}不少于\n3.5万元。\n二、乙。", ["一", "二"]),
    "a circled number in a wrapped line": (
        f"一、甲\n1.乙。①{LONG}丙；\n②丁。\n2.戊。",
        ["一", "一·1", "一·2"],
    ),
    "a count in a wrapped line": (f"一、{LONG}包括：1.甲、\n2.乙。\n二、丙。", ["一", "二"]),
    "headings that open with the words of a reference": (
        "一、甲\n（一）项目负责人。\n（二）条件\n（三）目标。\n（四）中心建设。",
        ["一", "一（一）", "一（二）", "一（三）", "一（四）"],
    ),
    "an article without a blank that opens like a reference": (
        "第一条中心应当甲。\n第二条所在地应当乙。",
        ["第一条", "第二条"],
    ),
    "a heading that ends like a wrapped line": (
        "一、征求意见\n（一）乙。\n二、目的\n丙。",
        ["一", "一（一）", "二"],
    ),
}


@pytest.mark.parametrize(("text", "expected"), TRAPS.values(), ids=TRAPS.keys())
def test_a_reference_is_not_taken_for_a_heading(text: str, expected: list[str]) -> None:
    assert paths("某某通知\n各单位：\n" + text)[2:] == expected


def test_wrapped_text_is_joined() -> None:
    found = texts("某某通知\n各单位：\n一、" + LONG + "按照\n第五条规定办理，\n不得延误。\n二、乙。")
    assert found["一"] == "一、" + LONG + "按照第五条规定办理，不得延误。"


def test_an_indented_text_tells_a_wrapped_line_from_a_new_paragraph() -> None:
    line = "市级平台的建设单位应当完成全部材料的填报。"
    wrapped = (
        f"\u3000\u3000第一条 {line}\n第二句接着上一行说明。\n\u3000\u3000第二条 {line}\n第五条 不是标题。\n"
        f"\u3000\u3000第三条 {line}\n末尾一句。\n\u3000\u3000另起一段。"
    )
    assert paths("某某办法\n" + wrapped)[1:] == ["第一条", "第二条", "第三条第一款", "第三条第二款"]


def test_the_parts_around_a_body_have_names() -> None:
    text = (
        "测试市某某局文件\n测某字〔2020〕7号\n关于印发《某某管理\n办法》的通知\n各区某某部门，\n各有关单位：\n"
        "现将办法印发给你们。\n请遵照执行。\n\n附件：1.某某表\n2.某某名单\n\n测试市某某局\n2020年1月2日\n"
        "（此件公开发布）\n某某管理办法\n（2020年1月修订）\n第一章 总则\n第一条 甲。\n"
        "附件1\n某某表\n（一）乙。"
    )
    assert texts(text) == {
        "文头": "测试市某某局文件\n测某字〔2020〕7号",
        "标题": "关于印发《某某管理办法》的通知",
        "主送": "各区某某部门，各有关单位：",
        "引言": "现将办法印发给你们。",
        "引言·第2段": "请遵照执行。",
        "附件清单": "附件：1.某某表\n2.某某名单",
        "落款": "测试市某某局\n2020年1月2日",
        "附注": "（此件公开发布）",
        "标题#2": "某某管理办法",
        "题注": "（2020年1月修订）",
        "第一章": "第一章 总则",
        "第一条": "第一条 甲。",
        "附件1": "附件1\n某某表",
        "附件1（一）": "（一）乙。",
    }


def test_a_table_of_contents_is_one_clause() -> None:
    text = "某某办法\n目 录\n第一章 总则……1\n第二章 附则……2\n第一章 总则\n第一条 甲。\n第二章 附则\n第二条 乙。"
    assert paths(text) == ["标题", "目录", "第一章", "第一条", "第二章", "第二条"]


def test_the_articles_of_the_only_attachment_that_has_any_are_cited_without_its_name() -> None:
    notice = "关于印发办法的通知\n各单位：\n一、照办。\n某某局\n2020年1月2日\n"
    text = notice + "附件1\n某某办法\n第一条 甲。\n第二条 乙。"
    assert paths(text)[-3:] == ["附件1", "第一条", "第二条"]


def test_a_text_without_any_number_is_read_as_paragraphs() -> None:
    assert paths("甲是乙。\n丙是丁。") == ["正文", "正文·第2段"]


def test_an_empty_text_has_no_clauses() -> None:
    assert parse("d", "\n \u3000\n") == []


def test_a_file_of_thousands_of_signatures_does_not_exhaust_the_stack() -> None:
    report = parse_report("d", "某某局\n2020年1月2日\n某某办法\n第一条 甲。\n" * 3000)
    assert report.leftovers == ()


def test_a_gap_in_the_numbering_is_followed_and_reported() -> None:
    report = parse_report("d", "某某办法\n第一条 甲。\n第三条 乙。")
    assert [clause.path for clause in report.clauses] == ["标题", "第一条", "第三条"]
    assert [doubt.reason for doubt in report.uncertainties] == ["numbering_jumps"]


def test_the_digest_follows_the_words_and_not_the_layout() -> None:
    one, other, changed = (
        parse("d", f"某某通知\n各单位：\n一、{LONG}{end}。")[-1] for end in ("甲乙", "甲\n乙", "甲丙")
    )
    assert one.digest == other.digest != changed.digest


def test_chapters_and_sections_stand_in_the_headings() -> None:
    found = {clause.path: clause for clause in parse("m", MEASURES.read_text("utf-8"))}
    assert found["第六条"].headings == ("第二章 认定", "第二节 程序")
    assert found["第四条（二）1"].headings == (
        "第二章 认定",
        "第一节 条件",
        "第四条 申请认定的单位应当具备下列条件：",
        "（二）有专职的人员，并符合下列要求之一：",
    )
    assert found["第五条第二款"].text.endswith("按照第四条第一款第（一）项和第（三）项判断。")
    assert found["第七条·表"].text.split("\n")[1] == "受理\t五日\t窗口"


def test_the_made_up_regulation_has_exactly_these_paths() -> None:
    expected = """
    标题 第一章 第一条 第二条第一款 第二条第二款 第三条 第二章 第二章第一节
    第四条 第四条（一） 第四条（二） 第四条（二）1 第四条（二）2 第四条（三）
    第五条第一款 第五条第一款第（一）项 第五条第一款第（二）项 第五条第二款 第五条第三款
    第二章第二节 第六条 第七条第一款 第七条·表 第七条第二款 第八条 第九条 第十条 第十一条
    第十二条第一款 第十二条第二款 第十二条第三款 第三章 第十三条 第十四条
    附件1 附件1·一 附件1·一（一） 附件1·一（二） 附件1·二 附件1·二·1 附件1·二·2
    """
    report = parse_report("m", MEASURES.read_text("utf-8"))
    assert [clause.path for clause in report.clauses] == expected.split()
    assert (report.leftovers, report.uncertainties) == ((), ())


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("十", 10),
        ("十九", 19),
        ("二十", 20),
        ("九十九", 99),
        ("一百", 100),
        ("一百零五", 105),
        ("一百〇五", 105),
    ]
    + [("一百一十", 110), ("一百二十", 120), ("二〇二六", 2026), ("１２", 12), ("两", 2)],
)
def test_numerals_have_their_values(written: str, value: int) -> None:
    assert numeral(written) == value


def test_numerals_are_written_as_they_are_read() -> None:
    assert [numeral(chinese(number)) for number in range(1, 1000)] == list(range(1, 1000))


def test_a_hundred_and_twenty_articles_are_counted() -> None:
    body = "\n".join(f"第{chinese(number)}条 甲{number}。" for number in range(1, 121))
    assert paths("某某办法\n" + body)[1:] == [f"第{chinese(number)}条" for number in range(1, 121)]


# What holds for every document.

WORDS = st.sampled_from(
    [
        *"甲乙丙丁",
        "申请",
        "单位",
        "按照第三条规定",
        "第十二条第二款",
        "（一）项",
        "见附件1",
        "，",
        "、",
        "3月26日",
        "2000万元",
    ]
)
SENTENCE = st.lists(WORDS, min_size=1, max_size=30).map(lambda words: "应" + "".join(words) + "办理。")
ARTICLE = st.tuples(st.lists(SENTENCE, min_size=1, max_size=3), st.integers(0, 3))


def regulation(articles: list[tuple[list[str], int]], first: int) -> tuple[list[str], list[str]]:
    """Lines and paths of a regulation: each 条 with its 款 and, under the last of them, its 项."""
    lines, expected = [], []
    for number, (paragraphs, items) in enumerate(articles, start=first):
        name = f"第{chinese(number)}条"
        several = len(paragraphs) > 1
        for count, sentence in enumerate(paragraphs, start=1):
            lines.append(f"{name} {sentence}" if count == 1 else sentence)
            expected.append(f"{name}第{chinese(count)}款" if several else name)
        for item in range(1, items + 1):
            lines.append(f"（{chinese(item)}）项目{item}；")
            path = f"（{chinese(item)}）"
            expected.append(f"{name}第{chinese(len(paragraphs))}款第{path}项" if several else f"{name}{path}")
    return lines, expected


@settings(max_examples=60, deadline=None)
@given(st.lists(ARTICLE, min_size=1, max_size=6), st.integers(20, 40))
def test_wrapping_at_any_width_changes_no_path(articles: list[tuple[list[str], int]], width: int) -> None:
    lines, expected = regulation(articles, first=1)
    wrapped = [line[at : at + width] for line in lines for at in range(0, len(line), width)]
    clauses = parse("d", "某某办法\n" + "\n".join(wrapped))
    assert [clause.path for clause in clauses][1:] == expected
    assert "".join("".join(clause.text.split()) for clause in clauses[1:]) == "".join("".join(lines).split())


FRAGMENT = st.sampled_from(
    [
        "一、",
        "二、",
        "（一）",
        "（二）",
        "1.",
        "2.",
        "3．",
        "（1）",
        "①",
        "②",
        "第一章 ",
        "第一节 ",
        "第一条 ",
        "第二条",
        "附件1",
    ]
    + [
        "附件：",
        "附件2\n",
        "\n",
        "\n\n",
        "\t",
        "\u3000\u3000",
        " ",
        "。",
        "；",
        "：",
        "，",
        "（",
        "）",
        "》",
        "甲",
        "乙丙",
        "某某局",
    ]
    + [
        "\n2020年1月2日\n",
        "年 月 日",
        "\n| 甲 | 乙 |\n",
        "\n| --- | --- |\n",
        "关于某某的通知",
        "各单位：",
        "目录\n",
        "按照",
        "规定",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(FRAGMENT, max_size=60).map("".join))
def test_no_character_is_lost_or_doubled_ids_are_unique_and_a_parse_repeats(text: str) -> None:
    report = parse_report("d", text)
    words = "".join("".join(clause.text.split()) for clause in report.clauses)
    assert words == squeeze(text)
    assert report.leftovers == ()
    assert len({clause.id for clause in report.clauses}) == len(report.clauses)
    assert all(clause.text.strip() and clause.path for clause in report.clauses)
    assert parse_report("d", text) == report


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_any_text_at_all_is_parsed_without_loss(text: str) -> None:
    assert parse_report("d", text).leftovers == ()
