"""Reading the forms of a pack, and their shape as a pydantic model."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any, Literal

import yaml
from jinja2 import TemplateError
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from bot.forms.definition import Form, FormLibrary
from bot.forms.fields import KINDS, kind_of
from bot.texts import environment
from knowledge.pack import PackError

FORM_FILES = "form*.yaml"


def load_forms(folder: Path, clauses: Collection[str] | None = None) -> FormLibrary:
    """Read the forms of a pack.

    Args:
        folder: The pack's folder; `form.yaml` holds the current version.
        clauses: Known clause paths, with or without "notice:"; None: references are not checked.

    Raises:
        PackError: A file is missing or wrong; the message names it, the place, and what was expected.
    """
    current: dict[str, Form] = {}
    versions: dict[tuple[str, str], Form] = {}
    if not (folder / "form.yaml").is_file():
        raise PackError(f"{folder}: no form.yaml; expected the forms of the round")
    paths = {c.removeprefix("notice:") for c in clauses} if clauses is not None else None
    for path in sorted(folder.glob(FORM_FILES)):
        try:
            data = yaml.load(path.read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
            forms = [_form(raw, data) for raw in data["forms"]]
        except (yaml.YAMLError, ValidationError, KeyError, TypeError, TemplateError, OSError) as error:
            raise PackError(f"{path}: {error}; expected version, choices and forms with sections") from error
        for form in forms:
            for field in form.fields():
                if field.type not in KINDS:
                    raise PackError(f"{path}: {form.id}.{field.id}: no kind {field.type!r}; known: {', '.join(KINDS)}")
            refs = [(f.id, ref) for f in form.fields() for ref in f.clause]
            refs += [(c.kind, ref) for c in form.checks for ref in c.clause]
            for owner, ref in refs:
                if paths is not None and ref.removeprefix("notice:") not in paths:
                    raise PackError(f"{path}: {form.id}.{owner}: no clause {ref!r}")
            versions[form.id, form.version] = form
            if path.name == "form.yaml":
                current[form.id] = form
    return FormLibrary(current, versions)


def _form(raw: dict[str, Any], data: dict[str, Any]) -> Form:
    for section in raw["sections"]:
        for field in section["fields"]:
            if name := field.get("options"):
                field["choices"] = data["choices"][name]
    for check in raw.get("checks", ()):
        environment().from_string(check["text"])
    return Form.model_validate({"version": data["version"], **raw})


def answers_model(form: Form) -> type[BaseModel]:
    """The form as a pydantic model: one annotated type a field, with title, reason, clause and example."""
    fields: dict[str, Any] = {}
    for field in form.fields():
        python = kind_of(field).python
        if field.choices:
            python = Literal[tuple(option.value for option in field.choices)]
        extra: dict[str, Any] = {"clause": list(field.clause), "personal": field.personal}
        info = Field(default=None, title=field.title, description=field.why, examples=[field.example],
                     json_schema_extra=extra)  # fmt: skip
        fields[field.id] = (python | None, info)
    name = f"{form.id.title()}Answers"
    return create_model(name, __config__=ConfigDict(extra="forbid", title=f"{form.title} {form.version}"), **fields)
