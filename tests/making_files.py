"""Makes Word, PDF and web files out of the regulation made up for tests (data/made_up_measures.txt)."""

from __future__ import annotations

import html
import io
import zlib
from pathlib import Path

import docx

MEASURES = Path(__file__).parent / "data" / "made_up_measures.txt"

# Lines of the file that go on with the sentence before: wrapped on purpose, as a trap.
_WRAPPED = ("第（三）项判断。", "第五条规定补充材料的", "第十二条第二款规定")

Block = str | list[list[str]]


def measures() -> list[Block]:
    """The regulation as paragraphs and tables."""
    blocks: list[Block] = []
    for line in MEASURES.read_text(encoding="utf-8").split("\n"):
        last = blocks[-1] if blocks else ""
        if line.startswith("|"):
            row = [cell.strip() for cell in line.strip("|").split("|")]
            if isinstance(last, list):
                if set(row[0]) != {"-"}:
                    last.append(row)
            else:
                blocks.append([row])
        elif isinstance(last, str) and line.startswith(_WRAPPED):
            blocks[-1] = last + line
        elif line:
            blocks.append(line)
    return blocks


def word_file(blocks: list[Block]) -> bytes:
    document = docx.Document()
    for block in blocks:
        if isinstance(block, str):
            document.add_paragraph(block)
            continue
        table = document.add_table(len(block), len(block[0]))
        for row, cells in zip(table.rows, block, strict=True):
            for cell, text in zip(row.cells, cells, strict=True):
                cell.text = text
    return saved(document)


def saved(document: docx.document.Document) -> bytes:
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def web_page(blocks: list[Block], charset: str = "utf-8") -> bytes:
    """A page with the furniture of a government site around the article."""
    parts = []
    for block in blocks:
        if isinstance(block, str):
            parts.append(f'<p style="text-indent:2em">\u3000\u3000{html.escape(block)}</p>')
            continue
        rows = ("".join(f"<td><p>{html.escape(cell)}</p></td>" for cell in row) for row in block)
        parts.append("<table>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>")
    page = (
        f'<!DOCTYPE html><html><head><meta charset="{charset}"><title>测试站</title></head><body>'
        '<div class="nav"><ul><li><a href="/">首页</a></li><li><a href="/gk">政务公开</a></li></ul></div>'
        f'<div class="TRS_Editor">{"".join(parts)}<script>var 第一条 = 1;</script>'
        '<p style="display:none">隐藏</p></div>'
        '<div class="foot"><p>主办：测试市测试局。</p></div></body></html>'
    )
    return page.encode(charset)


class Pdf:
    """A small PDF with ruled tables; the Chinese font is one that every viewer knows, so none is embedded."""

    WIDTH, HEIGHT, MARGIN, SIZE, LEADING = 595, 842, 80, 12, 20
    COLUMNS = (595 - 2 * 80) // 12

    def __init__(self, header: str = "") -> None:
        self.header = header
        self.pages: list[list[str]] = []
        self._y = 0.0

    def _page(self) -> None:
        self.pages.append([])
        self._y = self.HEIGHT - self.MARGIN - 30
        if self.header:
            self._put(self.header, self.MARGIN, self.HEIGHT - 50)
        self._put(f"— {len(self.pages)} —", self.WIDTH / 2 - 30, 40)

    def _put(self, text: str, x: float, y: float) -> None:
        code = text.encode("utf-16-be").hex()
        self.pages[-1].append(f"BT /F1 {self.SIZE} Tf 1 0 0 1 {x:.1f} {y:.1f} Tm <{code}> Tj ET")

    def line(self, text: str, indent: float = 0) -> None:
        if not self.pages or self._y < self.MARGIN + self.LEADING:
            self._page()
        self._put(text, self.MARGIN + indent * self.SIZE, self._y)
        self._y -= self.LEADING

    def paragraph(self, text: str) -> None:
        """A paragraph indented by two characters and wrapped at the margin."""
        first = self.COLUMNS - 2
        self.line(text[:first], 2)
        for at in range(first, len(text), self.COLUMNS):
            self.line(text[at : at + self.COLUMNS])

    def centred(self, text: str) -> None:
        self.line(text, (self.COLUMNS - len(text)) / 2)

    def table(self, rows: list[list[str]]) -> None:
        if self._y < self.MARGIN + self.LEADING * (len(rows) + 1):
            self._page()
        top, width = self._y + self.SIZE, (self.WIDTH - 2 * self.MARGIN) / len(rows[0])
        for y in range(len(rows) + 1):
            at = top - y * self.LEADING
            self.pages[-1].append(f"{self.MARGIN} {at:.1f} m {self.WIDTH - self.MARGIN} {at:.1f} l S")
        for x in range(len(rows[0]) + 1):
            at = self.MARGIN + x * width
            self.pages[-1].append(f"{at:.1f} {top:.1f} m {at:.1f} {top - len(rows) * self.LEADING:.1f} l S")
        for row in rows:
            for x, cell in enumerate(row):
                self._put(cell, self.MARGIN + x * width + 4, self._y - 2)
            self._y -= self.LEADING
        self._y -= self.LEADING

    def picture_page(self) -> None:
        """A page that holds a picture and no text, as a scanner makes it."""
        self.pages.append(["q 400 0 0 400 80 200 cm /I1 Do Q"])

    def data(self) -> bytes:
        objects = [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"",
            (
                b"<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H "
                b"/DescendantFonts [4 0 R] >>"
            ),
            (
                b"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /DW 1000 "
                b"/FontDescriptor 5 0 R "
                b"/CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 2 >> >>"
            ),
            (
                b"<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 "
                b"/FontBBox [-25 -254 1000 880] /ItalicAngle 0 /Ascent 880 "
                b"/Descent -120 /CapHeight 880 /StemV 93 >>"
            ),
            (
                b"<< /Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray "
                b"/BitsPerComponent 8 /Length 1 >>\nstream\n\x80\nendstream"
            ),
        ]
        kids = []
        for page in self.pages:
            stream = zlib.compress("\n".join(page).encode())
            kids.append(f"{len(objects) + 1} 0 R")
            objects.append(
                f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {self.WIDTH} {self.HEIGHT}] "
                f"/Contents {len(objects) + 2} 0 R "
                "/Resources << /Font << /F1 3 0 R >> /XObject << /I1 6 0 R >> >> >>".encode()
            )
            head = f"<< /Length {len(stream)} /Filter /FlateDecode >>\nstream\n".encode()
            objects.append(head + stream + b"\nendstream")
        objects[1] = f"<< /Type /Pages /Count {len(kids)} /Kids [{' '.join(kids)}] >>".encode()
        data, offsets = b"%PDF-1.5\n", []
        for number, content in enumerate(objects, start=1):
            offsets.append(len(data))
            data += f"{number} 0 obj\n".encode() + content + b"\nendobj\n"
        table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
        tail = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n"
        tail += f"<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(data)}\n%%EOF\n"
        return data + tail.encode()


def pdf_file(blocks: list[Block]) -> bytes:
    pdf = Pdf("测试市示范平台管理办法（页眉）")
    for place, block in enumerate(blocks):
        if isinstance(block, list):
            pdf.table(block)
        elif place < 3 or block.endswith(("总则", "认定", "附则", "条件", "程序", "提纲")):
            pdf.centred(block)
        elif block.startswith("附件"):
            pdf.line(block)
        else:
            pdf.paragraph(block)
    return pdf.data()
