"""What a form is: data of a pack (`form.yaml`, and `form-<version>.yaml` for the versions before).

A form has sections, a section has fields, a field is one entry. `loading` reads and checks them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from knowledge.pack import Refs, Role

Answers = Mapping[str, Any]
"""Answers by field id, plain JSON values. None: skipped by the person. Absent: not asked yet."""


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Option(_Data):
    """One of a closed set. `value` is stored and never changes, `label` is shown."""

    value: str
    label: str
    aliases: tuple[str, ...] = ()


class Condition(_Data):
    """Holds on another field's answer: it is one of `is_in`, or (`filled`) there is anything in it."""

    field: str
    is_in: tuple[str, ...] = Field(default=(), alias="in")
    filled: bool = False

    def holds(self, answers: Answers) -> bool:
        """Whether the condition is met by what has been answered so far."""
        value = answers.get(self.field)
        return bool(value) if self.filled else value in self.is_in


class FieldSpec(_Data):
    """One thing that is asked.

    Args:
        type: A kind of `bot.forms.fields.KINDS`.
        why, clause: Why it is asked, and the clauses that this rests on.
        example: An answer that is taken.
        required: False: may be skipped. `optional_when`: may be skipped under a condition.
        personal: Encrypted at rest, masked in logs.
        when: Asked under this condition alone.
        group: Fields of one person; "手机" behind "联系人" is the contact's.
        aliases: Other names of the field in a pasted text; `label_in_group`: names that need the group.
        prefill: Where the conversation may know it: "profile.unit_type", "conditions.ID", "figures.ID".
        prefill_values: Where a condition's values are not the field's: the answer for each; others are not used.
    """

    id: Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,30}$")]
    title: str
    type: str
    why: str
    clause: Refs
    example: str
    required: bool = True
    optional_when: Condition | None = None
    personal: bool = False
    when: Condition | None = None
    group: str | None = None
    aliases: tuple[str, ...] = ()
    label_in_group: tuple[str, ...] = ()
    options: str | None = None
    choices: tuple[Option, ...] = ()
    years: tuple[int, ...] = ()
    unit: str | None = None
    max_length: int | None = None
    prefill: str | None = None
    prefill_values: Mapping[str, Any] = {}

    def skippable(self, answers: Answers) -> bool:
        """Whether "跳过" is allowed."""
        return not self.required or bool(self.optional_when and self.optional_when.holds(answers))


class Section(_Data):
    """Fields under one heading."""

    id: str
    title: str
    fields: tuple[FieldSpec, ...]


class Indicator(_Data):
    """Where a threshold's indicator stands in the form."""

    field: str
    how: Literal["value", "sum", "yearly"] = "value"


class FormCheck(_Data):
    """What must hold between fields; `text` (Jinja) may use `a`, `b`, `year`."""

    kind: Literal["at_most", "one_of", "not_after", "is_true", "area_code", "same_then_same"]
    fields: tuple[str, ...]
    values: tuple[str, ...] = ()
    year: int | None = None
    level: Literal["error", "notice"]
    clause: Refs
    text: str


class Form(_Data):
    """A form in one version. `official`: template (`Book.render`) of what the person must still do officially."""

    id: str
    version: str
    title: str
    role: Role
    official: str = ""
    sections: tuple[Section, ...]
    indicators: Mapping[str, Indicator] = {}
    checks: tuple[FormCheck, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        ids = [field.id for field in self.fields()]
        known = set(ids)
        if len(ids) != len(known):
            raise ValueError(f"form {self.id}: a field id stands twice")
        uses = [(f.id, c.field) for f in self.fields() for c in (f.when, f.optional_when) if c]
        uses += [(name, i.field) for name, i in self.indicators.items()]
        uses += [(check.kind, name) for check in self.checks for name in check.fields]
        for user, name in uses:
            if name not in known:
                raise ValueError(f"form {self.id}: {user} names {name!r}, which is no field")
        for at, field in enumerate(self.fields()):
            if field.when and field.when.field not in ids[:at]:
                raise ValueError(f"form {self.id}: {field.id} depends on {field.when.field!r}, which is asked later")
        return self

    def fields(self) -> Iterator[FieldSpec]:
        """All fields, in order."""
        return (field for section in self.sections for field in section.fields)

    def field(self, field_id: str) -> FieldSpec:
        """The field of an id. Raises KeyError."""
        for field in self.fields():
            if field.id == field_id:
                return field
        raise KeyError(field_id)

    def section_of(self, field_id: str) -> Section:
        """The section that a field stands in. Raises KeyError."""
        for section in self.sections:
            if any(field.id == field_id for field in section.fields):
                return section
        raise KeyError(field_id)


@dataclass(frozen=True)
class FormLibrary:
    """All forms of a pack in all versions. `current`: by form id; `versions`: by (id, version)."""

    current: Mapping[str, Form]
    versions: Mapping[tuple[str, str], Form]

    def get(self, form_id: str, version: str | None = None) -> Form | None:
        """The form in a version (None: the current one), or None where it is not known any more."""
        return self.current.get(form_id) if version is None else self.versions.get((form_id, version))

    def for_role(self, role: Role) -> Form | None:
        """The current form of a role."""
        return next((form for form in self.current.values() if form.role == role), None)
