"""The pack's notice is the source, whole: nothing left out, nothing added, nothing moved."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "tests" / "data" / "notice-2026.txt"
NOTICE = ROOT / "knowledge" / "packs" / "qingdao-tic-2026" / "notice.md"


def without_table_marks(markdown: str) -> str:
    lines = []
    for line in markdown.splitlines():
        if line.startswith("|"):
            line = "" if re.fullmatch(r"[|\s-]+", line) else line.replace("|", " ")
        lines.append(line)
    return "\n".join(lines)


def test_the_notice_holds_every_character_of_the_source_in_order() -> None:
    source = SOURCE.read_text(encoding="utf-8")
    notice = without_table_marks(NOTICE.read_text(encoding="utf-8"))
    assert "".join(notice.split()) == "".join(source.split())


def test_the_notice_uses_no_markdown_but_its_two_tables() -> None:
    lines = NOTICE.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if re.match(r"\s*(#|>|[-*+] |`)", line)] == []
    starts = [
        line
        for before, line in zip(["", *lines], lines, strict=False)
        if line.startswith("|") and not before.startswith("|")
    ]
    assert starts == [
        "| 序号 | 中心名称 | 牵头建设单位 | 负责人 | 联系人 |",
        "| 单位 | 姓名 | 职务 | 联系方式 办公电话+手机 |",
    ]


def test_the_irregular_wordings_of_the_source_are_kept() -> None:
    notice = NOTICE.read_text(encoding="utf-8")
    for slip in (
        "牵头建设单位申报单位",
        "绩效评估汇总表",
        "工作联系人名单",
        "建设联系人名单",
        "2022年(第1批)",
        "院所\\企业",
    ):
        assert slip in notice
