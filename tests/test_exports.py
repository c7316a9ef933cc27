"""What is handed out is opened and read back. Persons, units and figures are made up."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from dataclasses import replace
from datetime import date, datetime

import docx
import jsonschema
import openpyxl
import pytest
from icalendar import Calendar

from bot.exports import EXPORTERS
from bot.exports.calendar import calendar
from bot.exports.records import department_of, safe_name, sheet_name
from knowledge.pack import Role
from tests.forms_samples import CENTRE, CLAUSES, FACTS, FORMS, NOW, TEXTS, export_input, filled, record

EVIL = ["=1+1", "+1", "-1+公式", "@SUM(A1)", "=cmd|' /C calc'!A0", "\t=1+1"]


def _book(content: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(content))


@pytest.mark.parametrize("name", EXPORTERS)
def test_every_exporter_gives_safe_files_and_survives_nothing_and_unknown_versions(name: str) -> None:
    for data in (export_input(), export_input(record(1), record(2, "roster"), record(3, version="2019.9"))):
        files = EXPORTERS[name](data)
        assert len({f.name.casefold() for f in files}) == len(files)
        for file in files:
            assert not re.search(r'[<>:"/\\|?*\x00-\x1f]', file.name) and len(file.name.encode()) <= 255
            assert file.content and file.media_type


def test_attachment_2_has_title_header_line_five_columns_and_a_sheet_for_each_department() -> None:
    (file,) = EXPORTERS["summary"](export_input(
        record(1), record(2), record(3, department="青岛西海岸新区（黄岛区）"), record(1, revision=2, head_name="王伟")))  # fmt: skip
    book = _book(file.content)
    assert sorted(book.sheetnames) == sorted(["崂山区", "青岛西海岸新区（黄岛区）"])
    rows = [[c for c in row if c is not None] for row in book["崂山区"].iter_rows(values_only=True)]
    assert rows[:2] == [["附件2"], ["主管部门技术创新中心绩效评估汇总表"]]
    assert rows[2][0] == "主管部门（盖章）：崂山区" and str(rows[2][1]).startswith("填报日期：2026年")
    assert rows[3] == ["序号", "中心名称", "牵头建设单位", "负责人", "联系人"]
    assert [row[0] for row in rows[4:]] == [1, 2]
    assert rows[4][3] == "王伟"  # the newest revision


def test_attachment_3_has_its_columns_with_both_telephones() -> None:
    (file,) = EXPORTERS["roster"](export_input(record(1, "roster")))
    rows = [[c for c in row if c is not None] for row in _book(file.content).worksheets[0].iter_rows(values_only=True)]
    assert rows[:3] == [["附件3"], ["2026年市技术创新中心建设联系人名单"], ["（仅主管部门填报）"]]
    assert rows[3] == ["单位", "姓名", "职务", "联系方式\n办公电话+手机"]
    assert rows[4] == ["崂山区科技创新局", "王芳", "科长", "0532-88996666\n13800138000"]


def test_numbers_are_numbers_dates_are_dates_and_versions_never_share_a_sheet() -> None:
    (file,) = EXPORTERS["forms"](export_input(record(1), record(2), record(3, version="2025.1")))
    book = _book(file.content)
    new, dictionary = book["青岛市技术创新中心基本信息 2026.1"], book["字段说明 centre 2026.1"]
    old = book["centre 2025.1"]
    heads = [c.value for c in new[1]]
    row = dict(zip(heads, [c.value for c in new[2]], strict=True))
    assert row["提交时间"] == datetime(2026, 3, 28, 10, 31)  # noqa: DTZ001 - Excel knows no zones
    assert row["实验仪器设备原值总和（元）"] == 15_000_000 and row["科研用房面积（平方米）"] == 1200
    assert row["近三年研发费用（2024年，元）"] == 7_000_000
    assert row["负责人手机"] == "13800138000" and row["是否实行理事会制度"] == "是"
    assert new.max_row == 3 and old.max_row == 2
    assert [r[1] for r in dictionary.iter_rows(min_row=2, values_only=True)] == [f.id for f in CENTRE.fields()]
    assert new["A2"].alignment.wrap_text


@pytest.mark.parametrize("evil", EVIL)
def test_no_text_becomes_a_formula(evil: str) -> None:
    data = export_input(record(1, centre_name=evil, head_name=evil, department_unit=evil, projects=[evil]),
                        record(2, department=evil))  # fmt: skip
    for name in ("summary", "forms"):
        for sheet in _book(EXPORTERS[name](data)[0].content):
            assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    (file,) = EXPORTERS["forms-csv"](data)
    for line in csv.reader(io.StringIO(file.content.decode("utf-8-sig"))):
        assert not any(cell.lstrip("\t ")[:1] in tuple("=+-@") for cell in line if cell)


def test_csv_opens_in_excel_and_jsonl_is_typed_with_its_schema() -> None:
    data = export_input(record(1, centre_name='带，逗号"引号"\n换行'))
    (table,) = EXPORTERS["forms-csv"](data)
    assert table.content.startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(io.StringIO(table.content.decode("utf-8-sig"), newline="")))
    assert len(lines) == 2 and '带，逗号"引号"\n换行' in lines[1]
    rows, schema = EXPORTERS["forms-jsonl"](data)
    value = json.loads(rows.content)
    assert value["answers"]["equipment_value"] == 15_000_000 and value["form_version"] == CENTRE.version
    jsonschema.validate(value, json.loads(schema.content))
    value["answers"]["equipment_value"] = "很多"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(value, json.loads(schema.content))


def _words(content: bytes) -> list[str]:
    return [p.text for p in docx.Document(io.BytesIO(content)).paragraphs if p.text.strip()]


def test_the_report_has_every_heading_of_the_outline_in_order_gaps_marked_and_the_pledge_last() -> None:
    one = record(1)
    answers = {**one.answers, "funds_own": None}
    (file,) = EXPORTERS["report"](export_input(replace(one, answers=answers)))
    words = _words(file.content)
    text = "\n".join(words)
    at = -1
    for clause in CLAUSES.values():
        if clause.path.startswith("附件1·") and clause.path != "附件1·落款":
            first = re.sub("^主要包括：", "", clause.text).split("。")[0].split("\n")[0]
            assert text.index(first, at + 1) > at, clause.path
            at = text.index(first, at + 1)
    assert "自筹配套资金：【待补充】" in text and "近三年研发费用合计：2100万元" in text
    assert words[-3:-1] == ["单位负责人（签字）：", "单位名称（公章）："]
    assert text.count("【待补充：") == sum(1 for c in CLAUSES.values() if re.match(r"附件1·[一二三四五]·\d$", c.path))


def test_the_form_and_the_receipt_show_every_answer() -> None:
    one = record(1, unit_type="university")
    for name in ("form", "receipt"):
        (file,) = EXPORTERS[name](export_input(one))
        document = docx.Document(io.BytesIO(file.content))
        section = document.sections[0]
        assert (round(section.page_width.cm), round(section.page_height.cm, 1)) == (21, 29.7)  # type: ignore[union-attr]
        cells = {cell.text for row in document.tables[0].rows for cell in row.cells}
        assert {"青岛市海洋防腐材料技术创新中心", "1500万元", "高校", "620万元"} <= cells
        assert {f.title for f in CENTRE.fields() if f.id in one.answers} <= cells
        assert one.receipt in "\n".join(_words(file.content)) and "不是正式申报" in "\n".join(_words(file.content))


def test_the_calendar_has_all_day_events_with_stable_ids_by_role() -> None:
    def events(role: Role | None, now: datetime = NOW) -> dict[str, tuple[date, date]]:
        body = calendar(FACTS.milestones, role, now, TEXTS, "p")
        return {
            str(e["uid"]): (e.decoded("dtstart"), e.decoded("dtend")) for e in Calendar.from_ical(body).walk("VEVENT")
        }

    everything = events(None)
    assert everything["filing@p"] == (date(2026, 3, 26), date(2026, 4, 8))  # the end is exclusive
    assert everything["summary_table@p"] == (date(2026, 4, 20), date(2026, 4, 21))
    assert everything == events(None, NOW.replace(month=4))
    assert "roster@p" not in events(Role.APPLICANT) and "filing@p" not in events(Role.OFFICER)


def test_names_are_safe() -> None:
    assert safe_name("../../etc/passwd\x00", ".xlsx") == "_.._etc_passwd_.xlsx"
    assert safe_name("CON", ".csv") == "_CON.csv" and safe_name("  ", ".x") == "_.x"
    assert len(safe_name("长" * 300, ".docx").encode()) <= 190
    used: set[str] = set()
    names = [sheet_name(n, used) for n in ("区" * 40, "区" * 41, "a/b", "A_B", "", "history")]
    assert len({n.casefold() for n in names}) == 6 and all(0 < len(n) <= 31 for n in names)


def test_a_unit_in_qingdao_goes_by_its_own_name() -> None:
    assert department_of(CENTRE, filled("centre", department="resident", department_unit="某某大学")) == "某某大学"
    assert department_of(CENTRE, {"department": "laoshan"}) == "崂山区"
    assert FORMS.get("centre", "1999") is None


@pytest.mark.parametrize("name", ["summary", "roster", "forms", "forms-csv", "forms-jsonl"])
def test_500_submissions_take_at_most_five_seconds(name: str) -> None:
    form_id = "roster" if name == "roster" else "centre"
    one = record(1, form_id)
    data = export_input(*(replace(one, receipt=f"R{i}", department=f"区{i % 15}") for i in range(500)))
    start = time.perf_counter()
    EXPORTERS[name](data)
    assert time.perf_counter() - start < 5
