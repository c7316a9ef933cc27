"""Made up for tests: people, units and figures that do not exist, and submissions of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from bot.exports.records import ExportInput, SubmissionRecord, load_layouts
from bot.forms.journey import FieldError, next_field, parse_answer
from bot.forms.loading import load_forms
from bot.texts import Texts
from knowledge.clauses import parse
from knowledge.loading import PACKS, read_yaml
from knowledge.pack import Facts

FOLDER = PACKS / "qingdao-tic-2026"
NOW = datetime(2026, 3, 28, 2, 30, tzinfo=UTC)
TEXTS = Texts.load()
CLAUSES = {c.id: c for c in parse("notice", (FOLDER / "notice.md").read_text("utf-8"))}
FORMS = load_forms(FOLDER, [c.path for c in CLAUSES.values()])
FACTS = Facts.model_validate(read_yaml(FOLDER / "facts.yaml"))
CENTRE, ROSTER = FORMS.current["centre"], FORMS.current["roster"]


def filled(form_id: str, **given: Any) -> dict[str, Any]:
    """A whole filling from the fields' own examples, with some answers given."""
    form, answers = FORMS.current[form_id], dict(given)
    while field := next_field(form, answers):
        value = parse_answer(field, field.example, TEXTS)
        assert not isinstance(value, FieldError), value.message
        answers[field.id] = value
    return answers


def record(number: int = 1, form_id: str = "centre", department: str = "崂山区", revision: int = 1,
           version: str | None = None, **given: Any) -> SubmissionRecord:  # fmt: skip
    """A submission."""
    return SubmissionRecord(
        receipt=f"TC{number:04d}", revision=revision, form_id=form_id,
        form_version=version or FORMS.current[form_id].version,
        submitted_at=NOW + timedelta(minutes=number), department=department, answers=filled(form_id, **given),
    )  # fmt: skip


def export_input(*records: SubmissionRecord, **more: Any) -> ExportInput:
    """What the exporters take, from the real pack."""
    return ExportInput(records=records, forms=FORMS, layouts=load_layouts(FOLDER), clauses=CLAUSES, texts=TEXTS,
                       now=NOW, milestones=FACTS.milestones, pack_id="qingdao-tic-2026", **more)  # fmt: skip
