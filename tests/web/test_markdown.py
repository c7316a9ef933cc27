"""The small Markdown of replies becomes safe HTML."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from bot.channels.web.markdown import marked, to_html


def test_bold_closes_between_a_chinese_full_stop_and_a_letter() -> None:
    assert to_html("**截止日是4月7日。**今天还来得及") == "<p><strong>截止日是4月7日。</strong>今天还来得及</p>"


def test_lists_nest_and_numbered_lists_keep_their_first_number() -> None:
    assert to_html("- 甲\n  - 乙\n- 丙") == "<ul><li>甲<ul><li>乙</li></ul></li><li>丙</li></ul>"
    assert to_html("3. 丙\n4. 丁") == '<ol start="3"><li>丙</li><li>丁</li></ol>'


def test_a_table_has_a_head_and_rows() -> None:
    html = to_html("说明\n\n| 项目 | 要求 |\n|---|---|\n| 人员 | **30人** |")
    assert '<th scope="col">项目</th>' in html
    assert "<td><strong>30人</strong></td>" in html


def test_a_line_parts_an_answer_from_the_pending_question() -> None:
    assert to_html("甲\n\n---\n\n乙\n---") == "<p>甲</p>\n<hr>\n<p>乙</p>\n<hr>"


def test_an_address_becomes_a_link_and_the_full_stop_behind_it_stays_outside() -> None:
    assert '<a href="http://qdstc.qingdao.gov.cn/" rel=' in to_html("登录http://qdstc.qingdao.gov.cn/。")
    assert "</a>。" in to_html("登录http://qdstc.qingdao.gov.cn/。")
    assert "href" not in to_html("javascript:alert(1)")


def test_the_supporting_words_of_a_clause_are_marked_and_all_else_is_escaped() -> None:
    assert marked("甲<b>乙丙", "乙") == "甲&lt;b&gt;<mark>乙</mark>丙"
    assert marked("甲乙", "不在") == "甲乙"


@given(st.text(alphabet=st.sampled_from("甲乙 *-|\n1.、<>\"&'ahtps:/")))
def test_no_text_can_bring_in_a_tag_of_its_own(text: str) -> None:
    html = to_html(text)
    tags = set(re.findall(r"</?([a-z]+)", html))
    assert tags <= {
        "p",
        "br",
        "hr",
        "strong",
        "ul",
        "ol",
        "li",
        "a",
        "div",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
    }
    assert "<script" not in html.lower()
