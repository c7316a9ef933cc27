"""Documents for one centre: the basic information as an official form, the report's skeleton, the receipt."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

import docx
from docx.document import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Cm, Pt, RGBColor
from docx.text.paragraph import Paragraph

from bot.exports.records import ExportFile, ExportInput, SubmissionRecord, local, safe_name, unique_names
from bot.forms.definition import FieldSpec, Form
from bot.forms.journey import asked, say
from knowledge.quantities import say_yuan

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_BODY, _HEAD, _TITLE = "仿宋", "黑体", "宋体"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f￾￿]")


def _font(target: Any, name: str, size: float, bold: bool = False) -> None:
    """Set Latin and East Asian font; a style or a run."""
    target.font.name, target.font.size, target.font.bold = "Times New Roman", Pt(size), bold
    fonts = target.element.get_or_add_rPr().get_or_add_rFonts()
    for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{theme}"), None)
    fonts.set(qn("w:eastAsia"), name)
    target.font.color.rgb = RGBColor(0, 0, 0)


def _document(now: datetime) -> Document:
    """An empty A4 document with the margins and fonts of official papers."""
    out = docx.Document()
    section = out.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.top_margin, section.bottom_margin = Cm(2.5), Cm(2.2)
    section.left_margin = section.right_margin = Cm(2.4)
    _font(out.styles["Normal"], _BODY, 12)
    for level, (name, size) in enumerate(((_HEAD, 16), (_HEAD, 14)), 1):
        style = out.styles[f"Heading {level}"]
        _font(style, name, size, bold=False)
        style.paragraph_format.space_before, style.paragraph_format.space_after = Pt(14), Pt(6)
    for style_id, name in ((_LABEL, _HEAD), (_VALUE, _BODY)):
        style = out.styles.add_style(style_id, WD_STYLE_TYPE.PARAGRAPH)
        _font(style, name, 10.5)
        style.paragraph_format.space_before = style.paragraph_format.space_after = Pt(3)
        if style_id == _LABEL:
            style.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    properties = out.core_properties
    properties.author, properties.comments = "", ""
    properties.created = properties.modified = now.astimezone(UTC).replace(tzinfo=None)
    return out


def _write(paragraph: Paragraph, words: str, name: str = _BODY, size: float = 12, bold: bool = False) -> None:
    run = paragraph.add_run(_CONTROL.sub("", words))
    _font(run, name, size, bold)


def _line(out: Document, words: str, *, name: str = _BODY, size: float = 12, bold: bool = False,
          align: WD_ALIGN_PARAGRAPH | None = None, after: float = 4, indent: bool = False) -> Paragraph:  # fmt: skip
    paragraph = out.add_paragraph()
    if align is not None:
        paragraph.alignment = align
    paragraph.paragraph_format.space_after = Pt(after)
    if indent:
        paragraph.paragraph_format.first_line_indent = Pt(size * 2)
    _write(paragraph, words, name, size, bold)
    return paragraph


def _shade(element: Any, colour: str) -> None:
    shading = OxmlElement("w:shd")
    for key, value in (("val", "clear"), ("color", "auto"), ("fill", colour)):
        shading.set(qn(f"w:{key}"), value)
    # The schema fixes the order: shading stands before these.
    element.insert_element_before(shading, "w:tabs", "w:spacing", "w:ind", "w:jc", "w:noWrap", "w:tcMar", "w:vAlign")


def _cell(words: str, style: str, width: float, span: int = 1, fill: str | None = None) -> str:
    """A table cell as XML: a table of forty fields takes python-docx a hundred milliseconds, this takes two."""
    lines = "<w:br/>".join(
        f'<w:t xml:space="preserve">{escape(line)}</w:t>' for line in _CONTROL.sub("", words).split("\n")
    )
    merged = f'<w:gridSpan w:val="{span}"/>' if span > 1 else ""
    shade = f'<w:shd w:val="clear" w:color="auto" w:fill="{fill}"/>' if fill else ""
    keep = "<w:keepNext/>" if fill else ""
    return (
        f'<w:tc><w:tcPr><w:tcW w:w="{round(width * 567)}" w:type="dxa"/>{merged}{shade}<w:vAlign w:val="center"/></w:tcPr>'
        f'<w:p><w:pPr><w:pStyle w:val="{style}"/>{keep}</w:pPr><w:r>{lines}</w:r></w:p></w:tc>'
    )


def _row(*cells: str, whole: bool = True) -> str:
    return f"<w:tr>{'<w:trPr><w:cantSplit/></w:trPr>' if whole else ''}{''.join(cells)}</w:tr>"


_WIDE = {"long_text", "list", "yearly"}
_LABEL, _VALUE = "FormLabel", "FormValue"
_GRID = (3.2, 4.9, 3.2, 4.9)


def _form_table(out: Document, form: Form, record: SubmissionRecord, data: ExportInput) -> None:
    """The answers as a table: short fields two a row, long ones across."""
    concerned = {field.id for field in asked(form, record.answers)}
    label, value = _LABEL, _VALUE
    rows: list[str] = []
    for section in form.sections:
        fields = [field for field in section.fields if field.id in concerned]
        if not fields:
            continue
        rows.append(_row(_cell(section.title, label, sum(_GRID), span=4, fill="E7E6E6")))
        waiting: list[tuple[FieldSpec, str]] = []
        for field in fields:
            said = say(field, record.answers.get(field.id), data.texts)
            across = field.type in _WIDE or len(said) > 24 or len(field.title) > 14
            # One person's data do not stand beside another's.
            if waiting and (across or waiting[0][0].group != field.group):
                rows.append(_across(*waiting.pop()))
            if across:
                rows.append(_across(field, said))
            elif waiting:
                (one, first), two = waiting.pop(), field
                rows.append(_row(_cell(one.title, label, _GRID[0]), _cell(first, value, _GRID[1]),
                                 _cell(two.title, label, _GRID[2]), _cell(said, value, _GRID[3])))  # fmt: skip
            else:
                waiting.append((field, said))
        rows += [_across(*pair) for pair in waiting]
    grid = "".join(f'<w:gridCol w:w="{round(width * 567)}"/>' for width in _GRID)
    table = parse_xml(
        f'<w:tbl {nsdecls("w")}><w:tblPr><w:tblStyle w:val="TableGrid"/><w:tblW w:w="{round(sum(_GRID) * 567)}" w:type="dxa"/>'
        f'<w:jc w:val="center"/><w:tblLayout w:type="fixed"/></w:tblPr><w:tblGrid>{grid}</w:tblGrid>{"".join(rows)}</w:tbl>'
    )
    out.element.body.insert_element_before(table, "w:sectPr")


def _across(field: FieldSpec, said: str) -> str:
    return _row(
        _cell(field.title, _LABEL, _GRID[0]),
        _cell(said, _VALUE, sum(_GRID[1:]), span=3),
        whole=len(said) < 600,
    )


def _save(out: Document, data: ExportInput, kind: str, record: SubmissionRecord, name: str) -> ExportFile:
    buffer = io.BytesIO()
    out.save(buffer)
    stem = f"{data.texts.get(f'exports.files.{kind}')} {name} {record.receipt}"
    return ExportFile(safe_name(stem, ".docx"), DOCX, buffer.getvalue())


def _named(record: SubmissionRecord, data: ExportInput) -> str:
    return str(record.answers.get(data.layouts.report.name) or record.answers.get("unit") or "")[:40]


def _when(record: SubmissionRecord) -> str:
    return f"{local(record.submitted_at):%Y-%m-%d %H:%M}"


def _form_document(data: ExportInput, record: SubmissionRecord, form: Form, receipt: bool) -> Document:
    out, texts = _document(data.now), data.texts
    values = {"receipt": record.receipt, "revision": record.revision, "at": _when(record)}
    centre = WD_ALIGN_PARAGRAPH.CENTER
    if receipt:
        _line(
            out,
            str(texts.get("exports.receipt.title")),
            name=_TITLE,
            size=20,
            bold=True,
            align=centre,
            after=10,
        )
        _line(out, texts.render("exports.receipt.lead", **values), indent=True)
        _line(out, str(texts.get("exports.form.note")), indent=True, after=10)
        _line(out, form.title, name=_HEAD, size=14, align=centre, after=6)
    else:
        _line(out, form.title, name=_TITLE, size=20, bold=True, align=centre, after=10)
        _line(out, texts.render("exports.form.number", **values) + "    " + texts.render("exports.form.date", **values),
              size=10.5, after=4)  # fmt: skip
    _form_table(out, form, record, data)
    if not receipt:
        _line(out, "", after=6)
        right = WD_ALIGN_PARAGRAPH.RIGHT
        # Room for seal and date, as on the authority's own forms.
        _line(out, str(texts.get("exports.form.sign")) + " " * 24, align=right, after=10)
        _line(out, str(texts.get("exports.form.day")) + " " * 8, align=right, after=10)
        _line(out, str(texts.get("exports.form.note")), size=9)
    return out


def _each(data: ExportInput, kind: str, receipt: bool) -> list[ExportFile]:
    files = []
    for record in data.records:
        if form := data.form_of(record):
            files.append(_save(_form_document(data, record, form, receipt), data, kind, record, _named(record, data)))
    return unique_names(files)


def form_docx(data: ExportInput) -> list[ExportFile]:
    """The basic information of each record, printable on A4."""
    return _each(data, "form", receipt=False)


def receipt_docx(data: ExportInput) -> list[ExportFile]:
    """The person's own copy: receipt number and everything that was handed in."""
    return _each(data, "receipt", receipt=True)


_ITEM = re.compile(r"^(?:主要包括：)?(\d+\.\s*[^。]+)。?(.*)$", re.DOTALL)


def report_docx(data: ExportInput) -> list[ExportFile]:
    """The outline of attachment 1 as a skeleton: every heading in order, what is known, gaps marked, the pledge."""
    layout = data.layouts.report
    files = []
    for record in data.newest(layout.form):
        if form := data.form_of(record):
            name = str(record.answers.get(layout.name) or "")
            files.append(_save(_report(data, record, form), data, "report", record, name[:40]))
    return unique_names(files)


def _report(data: ExportInput, record: SubmissionRecord, form: Form) -> Document:
    layout, texts = data.layouts.report, data.texts
    out = _document(data.now)
    centre = WD_ALIGN_PARAGRAPH.CENTER
    name = str(record.answers.get(layout.name) or texts.get("exports.report.gap"))
    title, *subtitle = data.clause(layout.clause).split("\n")[1:]
    for _ in range(5):
        _line(out, "", after=12)
    for line in texts.render("exports.report.title", name=name).split("\n"):
        _line(out, line, name=_TITLE, size=24, bold=True, align=centre, after=14)
    _line(out, title, name=_HEAD, size=12, align=centre, after=6)
    for line in subtitle:
        _line(out, line, name=_BODY, size=12, align=centre, after=6)
    for _ in range(7):
        _line(out, "", after=12)
    unit = str(record.answers.get(layout.unit) or texts.get("exports.report.gap"))
    _line(out, texts.render("exports.report.cover", unit=unit), size=14, align=centre, after=24)
    _line(out, str(texts.get("exports.report.note")), size=10.5, align=centre)
    first = True
    for clause in data.clauses.values():
        part, _, rest = clause.path.removeprefix(layout.clause).lstrip("·").partition("·")
        if not clause.path.startswith(layout.clause + "·"):
            continue
        pledge = re.match(rf"{layout.pledge}(?:·|$)", clause.path.removeprefix(layout.clause + "·"))
        if pledge or part == "落款":
            _pledge(out, clause.text, heading=not rest and part == layout.pledge, sign=part == "落款")
        elif not rest:
            heading = out.add_heading(clause.text, 1)
            heading.paragraph_format.page_break_before = first
            first = False
        else:
            _item(out, clause.path, clause.text, data, record, form)
    return out


def _item(out: Document, path: str, text: str, data: ExportInput, record: SubmissionRecord, form: Form) -> None:
    """One item of the outline: its heading, what it demands, what is known, and the gap."""
    texts = data.texts
    match = _ITEM.match(text.replace("\n", ""))
    heading, demand = (match[1], match[2]) if match else (text, "")
    out.add_heading(heading, 2)
    if demand:
        note = _line(out, f"{texts.get('exports.report.outline')}：{demand}", size=10.5, after=6)
        _shade(note._p.get_or_add_pPr(), "F2F2F2")
    concerned = {field.id for field in asked(form, record.answers)}
    for name in data.layouts.report.fill.get(path, ()):
        if name not in concerned:
            continue
        field, value = form.field(name), record.answers.get(name)
        gap = str(texts.get("exports.report.gap"))
        said = gap if value is None else say(field, value, texts)
        _line(out, texts.render("exports.report.line", title=field.title, said=said), indent=True)
        if field.type == "yearly" and value:
            _line(
                out,
                texts.render("exports.report.total", title=field.title, said=say_yuan(sum(value.values()))),
                indent=True,
            )
    _line(out, str(texts.get("exports.report.prose")), indent=True, after=10)


def _pledge(out: Document, text: str, heading: bool, sign: bool) -> None:
    """The pledge: a page of its own, with its signature lines."""
    lines = text.split("\n")
    if heading:
        title = out.add_heading(lines[0], 1)
        title.alignment = WD_ALIGN_PARAGRAPH.CENTER
        title.paragraph_format.page_break_before = True
        lines = lines[1:]
    if sign:
        _line(out, "", after=20)
    for line in lines:
        align = WD_ALIGN_PARAGRAPH.LEFT
        if sign and not line.endswith("："):
            line, align = line.replace(" ", "      "), WD_ALIGN_PARAGRAPH.RIGHT
        _line(out, line, size=14, align=align, after=18 if sign else 8, indent=not sign)
