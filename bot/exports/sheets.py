"""Spreadsheets and lists: attachment 2, attachment 3, all forms as xlsx, csv and jsonl.

Cells with words are written as strings, whatever they begin with, so that none becomes a formula. In csv,
which knows no types, such a text gets an apostrophe.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import xlsxwriter
from pydantic import TypeAdapter
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from bot.exports.records import (
    ExportFile,
    ExportInput,
    SubmissionRecord,
    TableLayout,
    local,
    safe_name,
    sheet_name,
)
from bot.forms.definition import FieldSpec, Form
from bot.forms.journey import say
from bot.forms.loading import answers_model

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MAX_CELL = 32_767
_FONT = {"font_name": "宋体", "font_size": 11, "valign": "vcenter"}


def _workbook(build: Callable[[Workbook], None], now: datetime) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(
        buffer,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    book.set_properties({"created": local(now)})
    build(book)
    book.close()
    return buffer.getvalue()


def _text(sheet: Worksheet, row: int, column: int, words: str, style: Any) -> None:
    # Control characters have no place in XML; Excel refuses longer cells.
    clean = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f￾￿]", "", words)
    sheet.write_string(row, column, clean if len(clean) <= MAX_CELL else clean[: MAX_CELL - 1] + "…", style)


def _height(values: Iterable[str], widths: Iterable[float]) -> float:
    """A row's height in points for wrapped words: a Han character is about two columns wide."""
    lines = 1
    for words, width in zip(values, widths, strict=False):
        per_line = max(width - 2, 2)
        need = sum(
            max(1, -(-sum(2 if ord(c) > 255 else 1 for c in line) // int(per_line))) for line in words.split("\n")
        )
        lines = max(lines, int(need))
    return min(16.0 * lines + 8, 400.0)


def _cell(record: SubmissionRecord, form: Form | None, names: str | tuple[str, ...], data: ExportInput) -> str:
    said = []
    for name in (names,) if isinstance(names, str) else names:
        value = record.answers.get(name)
        if value is not None:
            known = form is not None and any(f.id == name for f in form.fields())
            said.append(say(form.field(name), value, data.texts) if form and known else str(value))
    return "\n".join(said)


def _by_department(records: list[SubmissionRecord], unknown: str) -> dict[str, list[SubmissionRecord]]:
    out: dict[str, list[SubmissionRecord]] = {}
    for record in records:
        out.setdefault(record.department.strip() or unknown, []).append(record)
    return dict(sorted(out.items()))


def _attachment(data: ExportInput, layout: TableLayout, name: str, per_department: bool) -> list[ExportFile]:
    """An attachment's table: its title and header line from the clause, its columns from the table's clause."""
    lines = data.clause(layout.clause).split("\n")
    heads = [head.replace(" ", "\n") for head in data.clause(layout.table).split("\n")[0].split("\t")]
    records = data.newest(layout.form)
    unknown = str(data.texts.get("exports.unknown_department"))
    groups = _by_department(records, unknown) if per_department and records else {lines[0]: records}

    def build(book: Workbook) -> None:
        mark = book.add_format({**_FONT, "font_size": 12, "bold": True})
        title = book.add_format({**_FONT, "font_size": 18, "bold": True, "align": "center"})
        plain = book.add_format({**_FONT, "font_size": 12})
        right = book.add_format({**_FONT, "font_size": 12, "align": "right"})
        centred = book.add_format({**_FONT, "font_size": 12, "align": "center"})
        head = book.add_format({**_FONT, "bold": True, "align": "center", "border": 1, "text_wrap": True})
        body = book.add_format({**_FONT, "border": 1, "text_wrap": True, "align": "center"})
        used: set[str] = set()
        last = len(heads) - 1
        for department, members in groups.items():
            sheet = book.add_worksheet(sheet_name(department, used))
            for column, width in enumerate(layout.widths):
                sheet.set_column(column, column, width)
            row = 0
            for at, line in enumerate(lines):
                if at == 0:
                    _text(sheet, row, 0, line, mark)
                elif (pair := re.match(r"(\S+：)\s*(\S+：.*)$", line)) and last > 1:
                    own = department if per_department and records and department != unknown else ""
                    split = last // 2
                    sheet.merge_range(row, 0, row, split, "", plain)
                    _text(sheet, row, 0, pair[1] + own, plain)
                    sheet.merge_range(row, split + 1, row, last, "", right)
                    _text(sheet, row, split + 1, pair[2].replace(" ", "    "), right)
                else:
                    style = title if at == 1 else centred
                    sheet.merge_range(row, 0, row, last, "", style)
                    _text(sheet, row, 0, line, style)
                sheet.set_row(row, 34 if at == 1 else 22)
                row += 1
            for column, words in enumerate(heads):
                _text(sheet, row, column, words, head)
            sheet.set_row(row, 36)
            sheet.repeat_rows(row)
            for number, record in enumerate(members, 1):
                row += 1
                form = data.form_of(record)
                values = ["" if names == "#" else _cell(record, form, names, data) for names in layout.columns]
                for column, (names, words) in enumerate(zip(layout.columns, values, strict=True)):
                    if names == "#":
                        sheet.write_number(row, column, number, body)
                    else:
                        _text(sheet, row, column, words, body)
                sheet.set_row(row, max(28.0, _height(values, layout.widths)))
            sheet.set_landscape()
            sheet.set_paper(9)
            sheet.fit_to_pages(1, 0)
            sheet.set_margins(left=0.6, right=0.6)
            sheet.center_horizontally()

    stem = str(data.texts.get(f"exports.files.{name}"))
    return [ExportFile(safe_name(stem, ".xlsx"), XLSX, _workbook(build, data.now))]


def summary(data: ExportInput) -> list[ExportFile]:
    """Attachment 2: one sheet a competent department, numbered; the newest revision of each centre."""
    return _attachment(data, data.layouts.summary, "summary", per_department=True)


def roster(data: ExportInput) -> list[ExportFile]:
    """Attachment 3: the officers' list."""
    return _attachment(data, data.layouts.roster, "roster", per_department=False)


Column = tuple[str, float, Callable[[SubmissionRecord], Any]]
"""Header, width, and the cell's value: str, int, float, datetime or None."""


def _columns(form: Form, data: ExportInput) -> list[Column]:
    """The columns of a form version; amounts are numbers in the unit that the header names."""
    texts = data.texts
    heads = texts.get("exports.columns")
    columns: list[Column] = [
        (heads["receipt"], 16, lambda r: r.receipt),
        (heads["revision"], 10, lambda r: r.revision),
        (heads["submitted_at"], 20, lambda r: local(r.submitted_at)),
    ]
    if not any(field.id == "department" for field in form.fields()):
        columns.append((heads["department"], 18, lambda r: r.department))
    for field in form.fields():
        columns += _field_columns(field, data)
    return columns


def _field_columns(field: FieldSpec, data: ExportInput) -> list[Column]:
    texts = data.texts
    if field.type == "yearly":
        return [
            (texts.render("exports.year", title=field.title, year=year), 18, _year_of(field.id, str(year)))
            for year in field.years
        ]
    if field.type in ("money", "area", "count"):
        key = {"money": "yuan", "area": "m2", "count": "counted"}[field.type]
        head = texts.render(f"exports.{key}", title=field.title, unit=field.unit or "")
        return [
            (
                head if field.type != "count" or field.unit else field.title,
                18,
                lambda r: r.answers.get(field.id),
            )
        ]
    if field.type == "percentage":
        return [(field.title, 12, lambda r: r.answers.get(field.id))]

    def said(record: SubmissionRecord) -> str | None:
        value = record.answers.get(field.id)
        return None if value is None else say(field, value, texts)

    width = {"long_text": 60, "list": 44, "short_text": 30, "yes_no": 12, "person": 12}.get(field.type, 20)
    return [(field.title, width, said)]


def _year_of(field_id: str, year: str) -> Callable[[SubmissionRecord], Any]:
    return lambda record: (record.answers.get(field_id) or {}).get(year)


def _versions(data: ExportInput) -> dict[tuple[str, str], list[SubmissionRecord]]:
    out: dict[tuple[str, str], list[SubmissionRecord]] = {}
    for record in data.records:
        out.setdefault((record.form_id, record.form_version), []).append(record)
    return dict(sorted(out.items()))


def _columns_of(key: tuple[str, str], records: list[SubmissionRecord], data: ExportInput) -> list[Column]:
    """Columns of a version; of a version whose form is gone, the raw answers by their ids."""
    form = data.forms.get(*key)
    if form:
        return _columns(form, data)
    bare = Form.model_validate({"id": key[0], "version": key[1], "title": key[0], "role": "applicant", "sections": ()})
    ids = sorted({name for record in records for name in record.answers})
    return _columns(bare, data) + [(name, 20.0, _raw_of(name)) for name in ids]


def _raw_of(name: str) -> Callable[[SubmissionRecord], Any]:
    def raw(record: SubmissionRecord) -> Any:
        value = record.answers.get(name)
        return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list | bool) else value

    return raw


def forms_xlsx(data: ExportInput) -> list[ExportFile]:
    """One row a submission; each form version has its own sheet, and beside it the dictionary of its fields."""

    def build(book: Workbook) -> None:
        head = book.add_format(
            {**_FONT, "bold": True, "align": "center", "border": 1, "text_wrap": True, "bg_color": "#DDE6F0"}
        )
        body = book.add_format({**_FONT, "border": 1, "text_wrap": True, "valign": "top"})
        number = book.add_format({**_FONT, "border": 1, "num_format": "#,##0.##", "valign": "top"})
        whole = book.add_format({**_FONT, "border": 1, "num_format": "#,##0", "valign": "top"})
        day = book.add_format({**_FONT, "border": 1, "num_format": "yyyy-mm-dd hh:mm", "valign": "top"})
        used: set[str] = set()
        for key, records in _versions(data).items():
            form = data.forms.get(*key)
            title = form.title if form else key[0]
            sheet = book.add_worksheet(sheet_name(f"{title[: 30 - len(key[1])]} {key[1]}", used))
            columns = _columns_of(key, records, data)
            for column, (words, width, _) in enumerate(columns):
                sheet.set_column(column, column, width)
                _text(sheet, 0, column, words, head)
            sheet.set_row(0, 48)
            sheet.freeze_panes(1, 1)
            for row, record in enumerate(records, 1):
                said = []
                for column, (_, _, value_of) in enumerate(columns):
                    value = value_of(record)
                    said.append(value if isinstance(value, str) else "")
                    if value is None:
                        sheet.write_blank(row, column, None, body)
                    elif isinstance(value, datetime):
                        sheet.write_datetime(row, column, value, day)
                    elif isinstance(value, int | float):
                        sheet.write_number(row, column, value, whole if isinstance(value, int) else number)
                    else:
                        _text(sheet, row, column, str(value), body)
                sheet.set_row(row, _height(said, [width for _, width, _ in columns]))
            sheet.autofilter(0, 0, len(records), len(columns) - 1)
            if form:
                _dictionary(book, form, data, used, head, body)
        if not data.records:
            sheet = book.add_worksheet()
            _text(sheet, 0, 0, str(data.texts.get("exports.nothing")), body)

    stem = str(data.texts.get("exports.files.forms"))
    return [ExportFile(safe_name(stem, ".xlsx"), XLSX, _workbook(build, data.now))]


def _dictionary(book: Workbook, form: Form, data: ExportInput, used: set[str], head: Any, body: Any) -> None:
    """The dictionary of a version's fields."""
    words = data.texts.get("exports.dictionary")
    sheet = book.add_worksheet(sheet_name(f"{words['sheet']} {form.id} {form.version}", used))
    widths = [36, 20, 18, 16, 12, 10, 70, 22, 44]
    for column, (title, width) in enumerate(zip(words["columns"], widths, strict=True)):
        sheet.set_column(column, column, width)
        _text(sheet, 0, column, title, head)
    sheet.freeze_panes(1, 0)
    for row, field in enumerate(form.fields(), 1):
        need = "conditional" if field.when or field.optional_when else "required" if field.required else "optional"
        values = [
            field.title, field.id, form.section_of(field.id).title, words["kinds"][field.type], words[need],
            words["personal"] if field.personal else "", field.why, "、".join(field.clause), field.example,
        ]  # fmt: skip
        for column, value in enumerate(values):
            _text(sheet, row, column, value, body)
        sheet.set_row(row, _height(values, widths))


def forms_csv(data: ExportInput) -> list[ExportFile]:
    """One file a form version, UTF-8 with BOM, so that Excel opens it as it is."""
    files = []
    for key, records in _versions(data).items():
        buffer = io.StringIO(newline="")
        writer = csv.writer(buffer, lineterminator="\r\n")
        columns = _columns_of(key, records, data)
        writer.writerow([_harmless(words) for words, _, _ in columns])
        for record in records:
            writer.writerow([_csv_value(value_of(record)) for _, _, value_of in columns])
        files.append(
            ExportFile(_stem(key, data) + ".csv", "text/csv; charset=utf-8", buffer.getvalue().encode("utf-8-sig"))
        )
    return files


def _csv_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(" ")
    return _harmless(value) if isinstance(value, str) else "" if value is None else value


def _harmless(words: str) -> str:
    """A text that a spreadsheet does not run: an apostrophe before what could begin a formula."""
    words = words.replace("\x00", "")
    return "'" + words if words.lstrip(" \t\r\n")[:1] in ("=", "+", "-", "@") or words[:1] in ("\t", "\r") else words


def _stem(key: tuple[str, str], data: ExportInput) -> str:
    return safe_name(f"{data.texts.get('exports.files.forms')} {key[0]} {key[1]}", "")


_RECORD = TypeAdapter(SubmissionRecord)


def forms_jsonl(data: ExportInput) -> list[ExportFile]:
    """One typed object a line; beside each form version its JSON schema."""
    files = []
    for key, records in _versions(data).items():
        lines = "".join(json.dumps(_RECORD.dump_python(r, mode="json"), ensure_ascii=False) + "\n" for r in records)
        files.append(ExportFile(_stem(key, data) + ".jsonl", "application/jsonl", lines.encode()))
        schema = _RECORD.json_schema(mode="serialization")
        if form := data.forms.get(*key):
            answers = answers_model(form).model_json_schema()
            schema["$defs"] = {**schema.get("$defs", {}), **answers.pop("$defs", {})}
            schema["properties"]["answers"] = answers
        body = json.dumps(schema, ensure_ascii=False, indent=2).encode()
        files.append(ExportFile(_stem(key, data) + ".schema.json", "application/schema+json", body))
    return files
