"""From a pack and submissions to what the exporters take."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from bot.exports.records import ExportInput, SubmissionRecord, department_of, load_layouts
from bot.forms.definition import FormLibrary
from bot.forms.drafts import Submission
from bot.texts import Texts
from knowledge.loading import Pack
from knowledge.pack import Role


def record_of(submission: Submission, forms: FormLibrary) -> SubmissionRecord:
    """A submission as the exporters take it; its answers must have been opened."""
    answers = submission.answers or {}
    form = forms.get(submission.form, submission.form_version)
    department = submission.department or (department_of(form, answers) if form else "")
    return SubmissionRecord(
        submission.receipt, submission.revision, submission.form, submission.form_version,
        submission.submitted_at, department, answers,
    )  # fmt: skip


def pack_up(
    pack: Pack,
    forms: FormLibrary,
    submissions: Iterable[Submission],
    texts: Texts,
    now: datetime,
    role: Role | None = None,
) -> ExportInput:
    """Everything for the exporters. Raises PackError where the pack's exports.yaml is missing or wrong."""
    return ExportInput(
        records=tuple(record_of(s, forms) for s in submissions), forms=forms, layouts=load_layouts(pack.folder),
        clauses=pack.clauses, texts=texts, now=now, milestones=pack.facts.milestones, role=role,
        pack_id=pack.info.id,
    )  # fmt: skip
