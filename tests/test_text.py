"""What a person types becomes comparable, and a typo becomes the pack's word; nothing else changes."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.text import Correction, Corrector, normalise

VOCABULARY = (
    "绩效评价 自评 申报 网站 账号 评价 网上申报 主管部门 技术创新中心 汇总表 名单 盖章 公章 截止 截止日期 "
    "提交 批次 附件 承诺书 浏览器 登录 金宏网 中试基地 主营业务收入 重点实验室 横向课题 上报 三项"
).split()


@pytest.fixture(scope="module")
def corrector() -> Corrector:
    return Corrector(VOCABULARY)


@pytest.mark.parametrize(
    ("typed", "comparable"),
    [
        ("ＡＢＣ１２３", "abc123"),
        ("２０２６年４月７日", "2026年4月7日"),
        ("請問績效評價什麼時候截止", "请问绩效评价什么时候截止"),
        ("報告首頁要蓋章嗎", "报告首页要盖章吗"),
        ("自评\u200b截\x00止\ufeff", "自评截止"),
        ("  自评 \n\t 截止  ", "自评 截止"),
        ("到底哪天？？？！！", "到底哪天?!"),
        ("“自评”——是啥", '"自评"-是啥'),
        ("附件①", "附件1"),
        ("1000㎡", "1000m2"),
        ("👍👍", ""),
        ("截止👍了吗", "截止 了吗"),
        ("\ud800自评", "自评"),
        ("Where Do I Submit", "where do i submit"),
        ("", ""),
    ],
)
def test_one_spelling_for_the_many_ways_of_typing(typed: str, comparable: str) -> None:
    assert normalise(typed) == comparable


@given(st.text(max_size=60))
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


def test_opencc_is_not_loaded_for_simplified_text() -> None:
    code = (
        "import sys; from knowledge.text import normalise; normalise('自评截止到哪天？'); "
        "assert 'opencc' not in sys.modules and 'pypinyin' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("自平截止到哪天", "自评截止到哪天"),
        ("单位自平时间", "单位自评时间"),
        ("申抱材料", "申报材料"),
        ("绩效平价", "绩效评价"),
        ("绩校评价", "绩效评价"),
        ("计效评价", "绩效评价"),
        ("网战在哪", "网站在哪"),
        ("帐号忘了", "账号忘了"),
        ("登陆不上", "登录不上"),
        ("主官部门", "主管部门"),
        ("会总表发给谁", "汇总表发给谁"),
        ("金红网", "金宏网"),
        ("中式基地", "中试基地"),
        ("主营业务受入", "主营业务收入"),
        ("重点试验室", "重点实验室"),
        ("网上审报", "网上申报"),
        ("截至日期", "截止日期"),
    ],
)
def test_a_word_typed_by_its_sound_is_put_back(corrector: Corrector, typed: str, meant: str) -> None:
    assert corrector.correct(typed) == meant


@pytest.mark.parametrize(
    "typed",
    [
        "来自平台的材料",
        "今年平价房",
        "三个附近的点",
        "办公是在哪",
        "评价时间",
        "自评截止到4月7日",
        "4月15号前上报",
        "山项",
        "是不是要提交",
        "今天天气不错",
        "where is the form",
        "",
    ],
)
def test_ordinary_words_and_numbers_stay(corrector: Corrector, typed: str) -> None:
    assert corrector.correct(typed) == typed


def test_a_correction_says_where_it_stands(corrector: Corrector) -> None:
    assert corrector.corrections("请问,自平、申抱") == [
        Correction(3, "自平", "自评"),
        Correction(6, "申抱", "申报"),
    ]


_CHARACTERS = "绩校效评平价家自字申审报抱网战站账帐号截结止至日期主官管部门三项像四月7号5的是在来"


@settings(deadline=None)
@given(st.text(alphabet=_CHARACTERS, max_size=30))
def test_correcting_twice_changes_nothing_and_digits_never_change(text: str) -> None:
    corrector = Corrector(VOCABULARY)
    once = corrector.correct(text)
    assert corrector.correct(once) == once
    assert len(once) == len(text)
    numerals = "三四7５5"
    assert [c for c in once if c in numerals] == [c for c in text if c in numerals]


def test_a_very_long_message_is_corrected_within_a_second(corrector: Corrector) -> None:
    """A bound far above what it takes (60 ms): only quadratic work would break it."""
    import time

    start = time.perf_counter()
    assert corrector.correct("自平" * 5000).startswith("自评")
    assert time.perf_counter() - start < 1.0
