"""What is handed out: one function a format, and the table of them.

An exporter takes an `ExportInput` (plain values; nothing of the database) and gives files. A new format is
one function and its line here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.exports.calendar import milestones
from bot.exports.documents import form_docx, receipt_docx, report_docx
from bot.exports.records import ExportFile, ExportInput
from bot.exports.sheets import forms_csv, forms_jsonl, forms_xlsx, roster, summary

Exporter = Callable[[ExportInput], list[ExportFile]]

EXPORTERS: Mapping[str, Exporter] = {
    "summary": summary,
    "roster": roster,
    "forms": forms_xlsx,
    "forms-csv": forms_csv,
    "forms-jsonl": forms_jsonl,
    "form": form_docx,
    "report": report_docx,
    "receipt": receipt_docx,
    "milestones": milestones,
}
