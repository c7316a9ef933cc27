"""答疑汇总: the staff answers in use, as a document."""

from __future__ import annotations

import io
from collections.abc import Sequence

import docx
from docx.oxml.ns import qn
from docx.shared import Pt

from bot.helpdesk.console import Console
from bot.steps.promoted import said_scope
from bot.store import Promoted


def summary_docx(console: Console, answers: Sequence[Promoted]) -> bytes:
    """One heading a question, its answer, whom it applies to, what it rests on."""
    out = docx.Document()
    normal = out.styles["Normal"]
    normal.font.size = Pt(12)
    normal.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), "仿宋")
    out.add_heading(console.t("knowledge.summary_title", pack=console.pack.info.title), 0)
    today = console.today()
    out.add_paragraph(
        console.t("knowledge.summary_lead", date=f"{today.year}年{today.month}月{today.day}日", count=len(answers))
    )  # noqa: E501
    for number, one in enumerate(answers, 1):
        out.add_heading(f"{number}. {one.title}", 1)
        if len(one.wordings) > 1:
            out.add_paragraph(console.t("knowledge.summary_wordings", wordings=one.wordings[:5]))
        for line in one.answer.split("\n"):
            out.add_paragraph(line)
        out.add_paragraph(
            console.t(
                "knowledge.summary_tail",
                basis="、".join(f"{c.document}{c.clause}" for c in one.citations),
                scope=said_scope(one.scope, console.texts),
                until=one.valid_until.isoformat() if one.valid_until else "",
            )
        )
    made = io.BytesIO()
    out.save(made)
    return made.getvalue()
