"""Readers: the same clauses out of every kind of file, and a plain refusal of what is unsafe or unreadable.

All documents here are made up for tests.
"""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import docx
import pypdf
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from bot.texts import texts
from knowledge.clauses import parse
from knowledge.readers import Caution, Limits, Problem, ReaderError, Source, read
from tests.making_files import Block, Pdf, measures, pdf_file, saved, web_page, word_file

ROOT = Path(__file__).parents[1]
MEASURES = ROOT / "tests" / "data" / "made_up_measures.txt"
OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600
"""The first bytes of an old Word file."""

MAKERS: dict[str, Callable[[list[Block]], bytes]] = {
    "a.docx": word_file,
    "a.pdf": pdf_file,
    "a.html": web_page,
    "gb.htm": lambda blocks: web_page(blocks, "gb2312"),
    "a.txt": lambda blocks: MEASURES.read_bytes(),
    "gb.txt": lambda blocks: MEASURES.read_text("utf-8").encode("gb18030"),
    "bom.txt": lambda blocks: MEASURES.read_text("utf-8").encode("utf-8-sig"),
    "wide.txt": lambda blocks: MEASURES.read_text("utf-8").encode("utf-16"),
    "a.md": lambda blocks: MEASURES.read_bytes(),
}


@pytest.fixture
def read_bytes(tmp_path: Path) -> Callable[..., Source]:
    def reading(name: str, data: bytes, limits: Limits | None = None) -> Source:
        path = tmp_path / name
        path.write_bytes(data)
        return read(path, limits)

    return reading


ReadBytes = Callable[..., Source]


def cautions(source: Source) -> list[Caution]:
    return [remark.key for remark in source.warnings]


@pytest.mark.parametrize("name", MAKERS)
def test_every_kind_of_file_gives_the_same_clauses(name: str, read_bytes: ReadBytes) -> None:
    source = read_bytes(name, MAKERS[name](measures()))
    assert parse("m", source.text) == parse("m", MEASURES.read_text("utf-8"))


def test_the_packs_notice_is_read_as_it_stands() -> None:
    path = ROOT / "knowledge" / "packs" / "qingdao-tic-2026" / "notice.md"
    assert parse("notice", read(path).text) == parse("notice", path.read_text("utf-8"))


# Texts


def test_every_problem_and_every_caution_has_its_text() -> None:
    assert set(texts().get("readers.errors")) == {problem.value for problem in Problem}
    assert set(texts().get("readers.warnings")) == {caution.value for caution in Caution}


def says(error: ReaderError) -> str:
    """The sentence that a person reads; raises where the text needs a value that the error does not carry."""
    return texts().render(f"readers.errors.{error.key}", **error.params)


# Word


NUMBERING = """
<w:abstractNum {ns} w:abstractNumId="90">
  <w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="chineseCountingThousand"/>
    <w:lvlText w:val="第%1条"/></w:lvl>
  <w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="chineseCounting"/><w:suff w:val="nothing"/>
    <w:lvlText w:val="（%2）"/></w:lvl>
  <w:lvl w:ilvl="2"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%3."/></w:lvl>
</w:abstractNum>
"""


def numbered(document: docx.document.Document, text: str, level: int, number: int = 91) -> None:
    paragraph = document.add_paragraph(text)
    paragraph._p.get_or_add_pPr().append(
        parse_xml(f'<w:numPr {nsdecls("w")}><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>')
    )


def with_numbering() -> docx.document.Document:
    document = docx.Document()
    root = document.part.numbering_part.element
    root.insert(0, parse_xml(NUMBERING.format(ns=nsdecls("w"))))
    root.append(parse_xml(f'<w:num {nsdecls("w")} w:numId="91"><w:abstractNumId w:val="90"/></w:num>'))
    return document


def test_the_automatic_numbers_of_word_are_derived(read_bytes: ReadBytes) -> None:
    document = with_numbering()
    document.add_paragraph("某某办法")
    for number in range(1, 13):
        numbered(document, f"甲{number}应当：", 0)
    for text in ("乙；", "丙："):
        numbered(document, text, 1)
    numbered(document, "丁。", 2)
    numbered(document, "戊：", 0)
    numbered(document, "己。", 1)
    source = read_bytes("a.docx", saved(document))
    assert source.text.split("\n\n")[-6:] == [
        "第十二条 甲12应当：", "（一）乙；", "（二）丙：", "1. 丁。", "第十三条 戊：", "（一）己。",
    ]  # fmt: skip
    assert cautions(source) == [Caution.NUMBERING_DERIVED]
    assert [clause.path for clause in parse("m", source.text)][-3:] == [
        "第十二条（二）1",
        "第十三条",
        "第十三条（一）",
    ]


def test_a_number_that_cannot_be_derived_is_reported(read_bytes: ReadBytes) -> None:
    document = docx.Document()
    numbered(document, "甲。", 0, number=4711)
    assert Caution.NUMBERING_UNKNOWN in cautions(read_bytes("a.docx", saved(document)))


def test_tables_of_word_stay_in_their_places_and_merged_cells_are_said_once(read_bytes: ReadBytes) -> None:
    document = docx.Document()
    document.add_paragraph("第一条 按照下表办理：")
    table = document.add_table(3, 3)
    for y, row in enumerate(("甲乙丙", "丁戊己", "庚辛壬")):
        for x, text in enumerate(row):
            table.cell(y, x).text = text
    table.cell(0, 0).merge(table.cell(0, 1)).text = "甲|乙"
    table.cell(1, 2).merge(table.cell(2, 2)).text = "己\n壬"
    document.add_paragraph("第二条 丑。")
    assert read_bytes("a.docx", saved(document)).text.split("\n\n") == [
        "第一条 按照下表办理：",
        "| 甲\\|乙 |  | 丙 |\n| --- | --- | --- |\n| 丁 | 戊 | 己 壬 |\n| 庚 | 辛 |  |",
        "第二条 丑。",
    ]


def test_a_table_that_only_frames_text_is_read_as_text(read_bytes: ReadBytes) -> None:
    document = docx.Document()
    document.add_table(1, 1).cell(0, 0).text = "第一条 甲。"
    assert read_bytes("a.docx", saved(document)).text == "第一条 甲。"


def test_changes_links_and_text_boxes_of_word_are_read(read_bytes: ReadBytes) -> None:
    document = docx.Document()
    paragraph = document.add_paragraph("第一条 ")
    box = '<w:r><w:pict><v:shape xmlns:v="urn:schemas-microsoft-com:vml"><v:textbox><w:txbxContent>'
    box += "<w:p><w:r><w:t>文头</w:t></w:r></w:p></w:txbxContent></v:textbox></v:shape></w:pict></w:r>"
    paragraph._p.append(
        parse_xml(
            f"<w:smartTag {nsdecls('w', 'r')}><w:ins><w:r><w:t>新的</w:t></w:r></w:ins>"
            f"<w:del><w:r><w:delText>旧的</w:delText></w:r></w:del>"
            f"<w:hyperlink><w:r><w:t>网址</w:t></w:r></w:hyperlink>{box}</w:smartTag>"
        )
    )
    source = read_bytes("a.docx", saved(document))
    assert source.text.split("\n\n") == ["文头", "第一条 新的网址"]
    assert Caution.CHANGES_ACCEPTED in cautions(source)


def repacked(change: Callable[[dict[str, bytes]], None]) -> bytes:
    """A Word file with its parts changed."""
    with zipfile.ZipFile(io.BytesIO(word_file(["第一条 甲。"]))) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    change(parts)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return file.getvalue()


def entities(parts: dict[str, bytes]) -> None:
    declared = b'<!DOCTYPE w [<!ENTITY a "lol"><!ENTITY b "&a;&a;">]>'
    head, rest = parts["word/document.xml"].split(b"?>", 1)
    parts["word/document.xml"] = head + b"?>" + declared + rest


def bomb(parts: dict[str, bytes]) -> None:
    parts["word/media/a.xml"] = b" " * (60 * 1024 * 1024)


def macro_type(parts: dict[str, bytes]) -> None:
    plain = b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    macro = b"application/vnd.ms-word.document.macroEnabled.main+xml"
    parts["[Content_Types].xml"] = parts["[Content_Types].xml"].replace(plain, macro)


def no_document(parts: dict[str, bytes]) -> None:
    del parts["word/document.xml"]


def macro_part(parts: dict[str, bytes]) -> None:
    parts["word/vbaProject.bin"] = b"macro"


def picture(document: docx.document.Document) -> docx.document.Document:
    drawing = '<a:blip xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"/>'
    document.add_paragraph()._p.append(parse_xml(f"<w:r {nsdecls('w')}><w:drawing>{drawing}</w:drawing></w:r>"))
    return document


def test_macros_in_a_word_file_are_ignored_with_a_warning(read_bytes: ReadBytes) -> None:
    source = read_bytes("a.docx", repacked(macro_part))
    assert (source.text, cautions(source)) == ("第一条 甲。", [Caution.MACROS_IGNORED])


# PDF


def test_a_sentence_over_the_end_of_a_page_stays_whole(read_bytes: ReadBytes) -> None:
    pdf = Pdf("测试市文件（页眉）")
    sentence = "建设单位应当按照第三条规定完成材料的填报工作，" * 60
    pdf.paragraph(f"第一条 {sentence}不得延误。")
    pdf.paragraph("第二条 乙。")
    pdf.paragraph("第三条 丙。")
    source = read_bytes("a.pdf", pdf.data())
    assert len(pdf.pages) > 1
    assert source.text == f"第一条 {sentence}不得延误。\n\n第二条 乙。\n\n第三条 丙。"
    assert cautions(source) == [Caution.LINES_REMOVED]


def test_a_pdf_without_indents_is_left_to_the_clause_parser(read_bytes: ReadBytes) -> None:
    pdf = Pdf()
    texts_ = [f"第{number}条 {'建设单位应当按照规定完成材料的填报工作，' * 4}不得延误。" for number in "一二三四"]
    for text in ("某某管理办法", *texts_):
        for at in range(0, len(text), pdf.COLUMNS):
            pdf.line(text[at : at + pdf.COLUMNS])
    clauses = parse("m", read_bytes("a.pdf", pdf.data()).text)
    assert [clause.path for clause in clauses] == ["标题", "第一条", "第二条", "第三条", "第四条"]
    assert [clause.text for clause in clauses[1:]] == texts_


def test_a_table_over_the_end_of_a_page_is_one_table(read_bytes: ReadBytes) -> None:
    pdf = Pdf()
    for rows in ([["甲", "乙"], ["1", "2"]], [["甲", "乙"], ["3", "4"]]):
        pdf._page()
        pdf.table(rows)
    assert read_bytes("a.pdf", pdf.data()).text == "| 甲 | 乙 |\n| --- | --- |\n| 1 | 2 |\n| 3 | 4 |"


def test_a_scanned_page_among_others_is_reported(read_bytes: ReadBytes) -> None:
    pdf = Pdf()
    pdf.paragraph("第一条 某某单位应当按照规定的期限完成材料的填报工作，不得延误。")
    pdf.picture_page()
    source = read_bytes("a.pdf", pdf.data())
    found = next(remark for remark in source.warnings if remark.key is Caution.PAGES_WITHOUT_TEXT)
    assert found.params == {"pages": "2"}


def scanned_pdf() -> bytes:
    pdf = Pdf()
    pdf.picture_page()
    return pdf.data()


def encrypted_pdf() -> bytes:
    writer = pypdf.PdfWriter(clone_from=pypdf.PdfReader(io.BytesIO(pdf_file(["第一条 甲。"]))))
    writer.encrypt("secret", algorithm="RC4-128")
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def test_a_pdf_that_only_forbids_printing_is_read(read_bytes: ReadBytes) -> None:
    writer = pypdf.PdfWriter(clone_from=pypdf.PdfReader(io.BytesIO(pdf_file(["甲办法", "乙", "丙", "第一条 甲。"]))))
    writer.encrypt("", owner_password="secret", algorithm="RC4-128")
    file = io.BytesIO()
    writer.write(file)
    assert "第一条 甲。" in read_bytes("a.pdf", file.getvalue()).text


# Web pages


def test_the_article_is_read_and_the_page_around_it_is_not(read_bytes: ReadBytes) -> None:
    text = read_bytes("a.html", web_page(measures())).text
    assert not any(word in text for word in ("首页", "主办", "var", "隐藏"))


def test_lists_spans_and_line_breaks_of_a_page_are_read(read_bytes: ReadBytes) -> None:
    page = (
        "<body><h1>某某通知</h1><div>各单位：<br>甲，\n  乙。</div>"
        "<ol start=3><li>丙。</li><li>丁。</li></ol>"
        "<table><tr><td rowspan=2>戊</td><td colspan=2>己</td></tr>"
        "<tr><td>庚</td><td>辛</td></tr></table></body>"
    )
    assert read_bytes("a.html", page.encode()).text.split("\n\n") == [
        "某某通知", "各单位：\n甲，乙。", "3.丙。", "4.丁。",
        "| 戊 | 己 |  |\n| --- | --- | --- |\n|  | 庚 | 辛 |",
    ]  # fmt: skip


def test_a_title_outside_the_article_is_put_before_it(read_bytes: ReadBytes) -> None:
    page = f'<body><h1>某某办法</h1><div id="zoom"><p>{"第一条 甲。" * 80}</p></div></body>'
    assert read_bytes("a.html", page.encode()).text.startswith("某某办法\n\n第一条")


def test_a_page_without_a_known_article_is_read_whole_and_reported(read_bytes: ReadBytes) -> None:
    source = read_bytes("a.html", '<body><a href="/">首页</a><p>第一条 甲。</p></body>'.encode())
    assert (source.text, cautions(source)) == ("首页\n\n第一条 甲。", [Caution.WHOLE_PAGE])


def test_a_huge_span_does_not_fill_the_memory(read_bytes: ReadBytes) -> None:
    row = "<tr>" + "<td rowspan=99999 colspan=99999>甲</td>" * 60 + "</tr>"
    assert read_bytes("a.html", f"<body><table>{row * 3}</table></body>".encode()).text.count("甲") == 180


# Markdown and text


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("# 标题\n\n## 一、甲", "标题\n\n一、甲"),
        ("**一、甲**\n\n*乙*和`丙`", "一、甲\n\n乙和丙"),
        ("青岛市******中心\n院所\\企业", "青岛市******中心\n院所\\企业"),
        ("[门户](http://a.cn)和[http://b.cn](http://b.cn)", "门户（http://a.cn）和http://b.cn"),
        ("- 甲\n> 乙\n1. 丙", "甲\n乙\n1. 丙"),
        ("| a | **b** |\n| --- | --- |", "| a | b |\n| --- | --- |"),
    ],
)
def test_the_marks_of_markdown_go_and_what_only_looks_like_them_stays(
    markdown: str, text: str, read_bytes: ReadBytes
) -> None:
    assert read_bytes("a.md", markdown.encode()).text == text


# Refusals


REFUSED: dict[str, tuple[str, Callable[[], bytes], Problem]] = {
    "an unknown kind": ("a.wps", lambda: b"a", Problem.UNSUPPORTED),
    "a name of a file with macros": ("a.docm", lambda: word_file(["甲"]), Problem.MACROS),
    "a file with macros under another name": ("a.docx", lambda: repacked(macro_type), Problem.MACROS),
    "an empty file": ("a.txt", lambda: b"", Problem.EMPTY),
    "blanks only": ("a.txt", lambda: b" \n", Problem.NO_TEXT),
    "a Word file without text": ("a.docx", lambda: word_file([]), Problem.NO_TEXT),
    "a text named docx": ("a.docx", lambda: "第一条 甲。".encode(), Problem.NOT_WHAT_IT_SAYS),
    "a zip named docx": ("a.docx", lambda: repacked(no_document), Problem.NOT_WHAT_IT_SAYS),
    "an old Word file named docx": ("a.docx", lambda: OLD, Problem.NOT_WHAT_IT_SAYS),
    "an encrypted Word file": (
        "a.docx",
        lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
        Problem.ENCRYPTED,
    ),
    "half a Word file": ("a.docx", lambda: word_file(["甲"])[:2000], Problem.BROKEN),
    "a Word file with broken XML": (
        "a.docx",
        lambda: repacked(lambda parts: parts.update({"word/document.xml": b"<w:document>"})),
        Problem.BROKEN,
    ),
    "a zip bomb": ("a.docx", lambda: repacked(bomb), Problem.ARCHIVE_BOMB),
    "entities in XML": ("a.docx", lambda: repacked(entities), Problem.ENTITIES),
    "a scan in Word": ("a.docx", lambda: saved(picture(docx.Document())), Problem.SCANNED),
    "a scan": ("a.pdf", scanned_pdf, Problem.SCANNED),
    "an encrypted PDF": ("a.pdf", encrypted_pdf, Problem.ENCRYPTED),
    "a text named pdf": ("a.pdf", lambda: "第一条".encode(), Problem.NOT_WHAT_IT_SAYS),
    "half a PDF": ("a.pdf", lambda: b"%PDF-1.5\n1 0 obj\n<<", Problem.BROKEN),
    "a PDF named txt": ("a.txt", lambda: b"%PDF-1.5\n", Problem.NOT_WHAT_IT_SAYS),
    "a text in another encoding": ("a.txt", lambda: "規則とアイウエオ".encode("euc-jp"), Problem.ENCODING),
    "bytes that are no text": ("a.txt", lambda: bytes(range(256)), Problem.ENCODING),
    "a text named html": ("a.html", lambda: "第一条 甲。".encode(), Problem.NOT_WHAT_IT_SAYS),
    "a text named doc": ("a.doc", lambda: b"text", Problem.NOT_WHAT_IT_SAYS),
}  # fmt: skip


@pytest.mark.parametrize(("name", "data", "problem"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_read_safely_is_refused_in_words(
    name: str, data: Callable[[], bytes], problem: Problem, read_bytes: ReadBytes
) -> None:
    with pytest.raises(ReaderError) as caught:
        read_bytes(name, data())
    assert caught.value.key is problem
    assert name in says(caught.value)


@pytest.mark.parametrize(
    ("limits", "name", "problem"),
    [
        (Limits(bytes=100), "a.txt", Problem.TOO_LARGE),
        (Limits(pages=1), "a.pdf", Problem.TOO_MANY_PAGES),
        (Limits(characters=100), "a.docx", Problem.TOO_LONG),
        (Limits(entries=3), "a.docx", Problem.ARCHIVE_BOMB),
        (Limits(unpacked_bytes=100), "a.pdf", Problem.ARCHIVE_BOMB),
    ],
)
def test_limits_are_kept(limits: Limits, name: str, problem: Problem, read_bytes: ReadBytes) -> None:
    with pytest.raises(ReaderError) as caught:
        read_bytes(name, MAKERS[name](measures()), limits)
    assert caught.value.key is problem
    assert says(caught.value)


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(ReaderError) as caught:
        read(tmp_path / "a.txt")
    assert caught.value.key is Problem.MISSING


# Old Word files


def office(folder: Path, script: str) -> None:
    """A stand-in for LibreOffice, so that the way to it and back is tested without it."""
    program = folder / "soffice"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


def test_an_old_word_file_needs_libreoffice(
    read_bytes: ReadBytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ReaderError) as caught:
        read_bytes("a.doc", OLD)
    assert caught.value.key is Problem.NEEDS_OFFICE
    assert "另存为 .docx" in says(caught.value)


def test_an_old_word_file_is_read_through_libreoffice(
    read_bytes: ReadBytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "made.docx").write_bytes(word_file(["第一条 甲。"]))
    office(tmp_path, f'/bin/mkdir -p "$7" && /bin/cp "{tmp_path}/made.docx" "$7/in.docx"')
    monkeypatch.setenv("PATH", str(tmp_path))
    source = read_bytes("a.doc", OLD)
    assert (source.text, source.kind) == ("第一条 甲。", "doc")


@pytest.mark.parametrize("script", ["exit 1", "exit 0", "exec /bin/sleep 30"], ids=["fails", "writes nothing", "hangs"])
def test_libreoffice_that_fails_is_said_to_have_failed(
    script: str, read_bytes: ReadBytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office(tmp_path, script)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ReaderError) as caught:
        read_bytes("a.doc", OLD, Limits(seconds=1))
    assert caught.value.key is Problem.OFFICE_FAILED
    assert says(caught.value)


def test_a_new_word_file_named_doc_is_read(read_bytes: ReadBytes) -> None:
    source = read_bytes("a.doc", word_file(["第一条 甲。"]))
    assert (source.text, cautions(source)) == ("第一条 甲。", [Caution.ANOTHER_KIND])
