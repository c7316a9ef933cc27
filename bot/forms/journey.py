"""Where a person stands in a form. Derived from the answers alone; no step number is stored.

    answers --asked()--> the fields that concern this person --next_field()--> the next question

An answer is read with `parse_answer`, said with `say`, hidden with `mask`. A field whose condition is not
met any more is not asked, shown or handed in, but its answer stays in the draft, should the edit be undone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from bot.conversation import Profile
from bot.forms.definition import Answers, FieldSpec, Form
from bot.forms.fields import kind_of
from bot.forms.kinds import Reject
from bot.messages import Progress
from bot.texts import Texts


@dataclass(frozen=True)
class FieldError:
    """An answer that was not taken. `message` says what is wrong and shows what is right."""

    field_id: str
    code: str
    message: str


@dataclass(frozen=True)
class Prefill:
    """What the conversation already knows for a field; to be confirmed by the person."""

    field_id: str
    value: Any
    said: str


def asked(form: Form, answers: Answers) -> list[FieldSpec]:
    """The fields that concern this person, in order. A condition on a field that is not asked fails."""
    out: list[FieldSpec] = []
    seen: set[str] = set()
    for field in form.fields():
        if field.when is None or (field.when.field in seen and field.when.holds(answers)):
            out.append(field)
            seen.add(field.id)
    return out


def active_answers(form: Form, answers: Answers) -> dict[str, Any]:
    """The answers that count: of fields that are asked, without the skipped ones."""
    return {f.id: answers[f.id] for f in asked(form, answers) if answers.get(f.id) is not None}


def next_field(form: Form, answers: Answers) -> FieldSpec | None:
    """The next question: the first field without an answer that was not skipped either. None: all done.

    A skipped field that has become required (the unit type was edited) is asked again.
    """
    for field in asked(form, answers):
        if field.id not in answers or (answers[field.id] is None and not field.skippable(answers)):
            return field
    return None


def progress(form: Form, answers: Answers, at: FieldSpec | None = None) -> Progress:
    """How far a person is: `done` of `total`, and the section of `at` (None: of the next question)."""
    fields = asked(form, answers)
    place = at or next_field(form, answers) or fields[-1]
    done = sum(1 for f in fields if f.id in answers and (answers[f.id] is not None or f.skippable(answers)))
    return Progress(form=form.title, section=form.section_of(place.id).title, done=done, total=len(fields))


def field_before(form: Form, answers: Answers, field_id: str | None) -> FieldSpec | None:
    """The field to go back to from `field_id` (None: from the end). Later answers stay as they are."""
    fields = asked(form, answers)
    ids = [field.id for field in fields]
    at = ids.index(field_id) if field_id in ids else len(fields)
    return fields[at - 1] if at > 0 else None


def find_fields(form: Form, answers: Answers, words: str) -> list[FieldSpec]:
    """The fields that "修改 手机" may mean, best first: exact names, else names that hold the words."""
    key = re.sub(r"\s", "", words).casefold()
    if not key:
        return []
    named = [(f, [w.casefold() for w in (f.title, *f.aliases, *f.label_in_group)]) for f in asked(form, answers)]
    for fits in (
        [f for f, names in named if key == names[0]],
        [f for f, names in named if key in names],
        [f for f, names in named if any(key in name for name in names)],
        [f for f, names in named if any(len(name) > 1 and name in key for name in names)],
    ):
        if fits:
            return fits
    return []


def parse_answer(field: FieldSpec, text: str, texts: Texts) -> Any | FieldError:
    """The value of a typed answer, or why it cannot be taken, in words for the person."""
    try:
        if not text.strip():
            raise Reject("empty")
        return kind_of(field).parse(text, field, texts)
    except Reject as reject:
        return error(field, reject.code, texts, **reject.values)


def error(field: FieldSpec, code: str, texts: Texts, **values: Any) -> FieldError:
    """The error of a field, in words; `code` is a key of `forms.errors`."""
    values = {"title": field.title, "example": field.example, **values}
    return FieldError(field.id, code, texts.render(f"forms.errors.{code}", **values))


def skip_answer(field: FieldSpec, answers: Answers, texts: Texts) -> FieldError | None:
    """None where the field may be skipped (store None as its answer), else the reason why not."""
    return None if field.skippable(answers) else error(field, "required", texts)


def say(field: FieldSpec, value: Any, texts: Texts) -> str:
    """A value as a person reads it; reading that again gives the same value."""
    return kind_of(field).say(value, field, texts) if value is not None else str(texts.get("forms.words.skipped"))


def mask(field: FieldSpec, value: Any, texts: Texts) -> str:
    """A value for logs and shared screens: personal fields are covered."""
    said = say(field, value, texts)
    return kind_of(field).mask(said) if field.personal and value is not None else said


def masked_answers(form: Form, answers: Answers, texts: Texts) -> dict[str, str]:
    """All answers for logs."""
    return {f.id: mask(f, answers[f.id], texts) for f in form.fields() if f.id in answers}


def prefills(form: Form, answers: Answers, profile: Profile) -> list[Prefill]:
    """What the conversation knows for fields that are still open; offered, never taken by itself."""
    found = []
    for field in asked(form, answers):
        if field.prefill and field.id not in answers and (known := _known(field, profile)):
            found.append(Prefill(field.id, *known))
    return found


def _known(field: FieldSpec, profile: Profile) -> tuple[Any, str] | None:
    """Value and words of a field in the profile, where they fit the field's type."""
    source, _, name = (field.prefill or "").partition(".")
    if source == "figures" and (figure := profile.figures.get(name)):
        return (figure.value if field.type == "area" else round(figure.value)), figure.said
    value: Any = None
    if source == "profile" and name == "unit_type" and profile.unit_type:
        value = profile.unit_type.value
    elif source == "conditions":
        value = profile.conditions.get(name)
    if value is None:
        return None
    if field.prefill_values:
        fits = value in field.prefill_values
        return (field.prefill_values[value], profile.said.get(name, value)) if fits else None
    if field.choices and value not in {o.value for o in field.choices}:
        return None
    # A condition's value may be none of the field's ("other"): the field's own pattern decides.
    if field.type == "batch" and not re.fullmatch(r"20\d\d(-\d{1,2})?", value):
        return None
    return value, profile.said.get(name, value)


def department_of(form: Form, answers: Answers) -> str:
    """The competent department's label of a submission; a unit in Qingdao goes by its own name."""
    named = answers.get("department_unit")
    if named:
        return str(named)
    value = answers.get("department")
    try:
        options = form.field("department").choices
    except KeyError:
        return ""
    return next((option.label for option in options if option.value == value), "")
