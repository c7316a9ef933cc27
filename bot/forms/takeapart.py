"""A pasted paragraph, or several answers in one message, taken apart into fields.

Labels first ("联系人张三，手机138…"): the names and aliases of the fields; a label that needs its group
("手机") belongs to the person named before it. What is left is searched for what its shape gives away
(mobiles, e-mails, codes). Nothing found here is stored before the person has confirmed it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from bot.forms.definition import Answers, FieldSpec, Form
from bot.forms.fields import kind_of
from bot.forms.journey import FieldError, asked, parse_answer
from bot.texts import Texts


@dataclass(frozen=True)
class Taken:
    """One recognised answer. `error` is set, and `value` None, where a labelled answer was not valid."""

    field: FieldSpec
    value: Any
    words: str
    error: FieldError | None = None


@dataclass(frozen=True)
class _Label:
    start: int
    end: int
    fields: tuple[FieldSpec, ...]
    firm: bool


_COLON = re.compile(r"\s*(?:[（(][^）)\n]{0,12}[)）])?\s*(?:[:：=]|是|为|\t)\s*")
_BOUNDARY = "，,；;。\n\t 　|、.．)）"
_TRIM = "，,；;。|、 \t\n　"


def take_apart(
    form: Form, text: str, texts: Texts, answers: Answers | None = None, at: FieldSpec | None = None
) -> list[Taken]:
    """Recognised answers in order of place; each field at most once.

    Args:
        answers: What has been answered: decides which fields are asked, and open ones are preferred.
        at: The pending question; its group is preferred, and leading words may be its answer.
    """
    known = answers or {}
    # A unit type in the same text opens fields that were not asked before: all fields may be named.
    fields = [f for f in form.fields()]
    open_ids = {f.id for f in asked(form, known) if known.get(f.id) is None}
    taken: dict[str, Taken] = {}
    spans: list[tuple[int, int]] = []
    places: dict[str, int] = {}
    group = at.group if at else None
    groups: list[tuple[int, str]] = []

    labels = _labels(fields, text)
    pending = list(labels)
    while pending:
        label = pending.pop(0)
        end = pending[0].start if pending else len(text)
        field = _pick(label.fields, group, open_ids, set(taken))
        if field is None:
            continue
        words = text[label.end : end]
        if field.type not in ("long_text", "list", "yearly") and "\n" in words.strip():
            words = words.strip().split("\n")[0]
        words = words.strip(_TRIM)
        result = _read(field, words, texts) if words else None
        if result is None:
            if field.group:
                group = field.group
                groups.append((label.start, group))
            continue
        value, used, error = result
        # Behind a telephone's, mail's or code's name a wrong value is a slip to be told, not running text.
        slip = kind_of(field).pattern is not None and any(c.isdigit() for c in words)
        if error and not label.firm and not slip:
            continue
        if error and pending and not pending[0].firm:
            pending.pop(0)  # the word was part of the value, not a label
            pending.insert(0, label)
            continue
        if field.group:
            group = field.group
            groups.append((label.start, group))
        taken[field.id] = Taken(field, value, used, error)
        places[field.id] = label.start
        start = text.index(words, label.end) if words else label.end
        spans.append((label.start, start + len(used)))

    rest = list(text)
    for start, end in spans:
        rest[start:end] = "\0" * (end - start)
    left = "".join(rest)
    for field in _shaped(fields, at):
        pattern = kind_of(field).pattern
        if field.id in taken or pattern is None:
            continue
        for match in pattern.finditer(left):
            near = next((g for start, g in reversed(groups) if start <= match.start()), at.group if at else None)
            if field.group and near and field.group != near:
                continue
            if known.get(field.id) is not None and field is not at and not near:
                continue
            value = parse_answer(field, match.group(), texts)
            if isinstance(value, FieldError):
                continue
            taken[field.id] = Taken(field, value, match.group())
            places[field.id] = match.start()
            left = left[: match.start()] + "\0" * len(match.group()) + left[match.end() :]
            break
    if at and at.id not in taken and taken:
        lead = re.split(r"[，,；;。\n\0]", left, maxsplit=1)[0].strip(_TRIM)
        lead = lead.split()[0] if at.type == "person" and lead.split() else lead
        if lead and not isinstance(value := parse_answer(at, lead, texts), FieldError):
            taken[at.id] = Taken(at, value, lead)
            places[at.id] = -1
    return sorted(taken.values(), key=lambda t: places[t.field.id])


def _labels(fields: list[FieldSpec], text: str) -> list[_Label]:
    """Names of fields that stand where a label may stand, longest first, none inside another."""
    names: dict[str, list[FieldSpec]] = {}
    for field in fields:
        for name in (field.title, *field.aliases, *field.label_in_group):
            names.setdefault(name, []).append(field)
    found: list[_Label] = []
    used = [False] * len(text)
    for name in sorted(names, key=len, reverse=True):
        for match in re.finditer(re.escape(name), text, re.IGNORECASE):
            start, end = match.span()
            if any(used[start:end]):
                continue
            colon = _COLON.match(text, end)
            at_edge = start == 0 or text[start - 1] in _BOUNDARY
            if not at_edge and not (colon and colon.group().strip() in (":", "：")):
                continue
            used[start:end] = [True] * (end - start)
            firm = bool(colon and colon.group().strip()[-1:] in (":", "：", "="))
            found.append(_Label(start, colon.end() if colon else end, tuple(names[name]), firm))
    return sorted(found, key=lambda label: label.start)


def _pick(fields: tuple[FieldSpec, ...], group: str | None, open_ids: set[str], taken: set[str]) -> FieldSpec | None:
    """Which of the fields that share a label is meant."""
    free = [f for f in fields if f.id not in taken]
    ranked = sorted(free, key=lambda f: (f.group is not None and f.group != group, f.id not in open_ids))
    return ranked[0] if ranked else None


def _read(field: FieldSpec, words: str, texts: Texts) -> tuple[Any, str, FieldError | None] | None:
    """Value, the words it took, and the error; a shorter part of the words is tried where the whole fails."""
    first: FieldError | None = None
    parts = [words]
    if field.type not in ("long_text", "list", "yearly"):
        parts += [re.split(r"[，,；;。\n]", words)[0], words.split()[0]]
        if field.type in ("short_text", "person"):
            parts = parts[1:2] + parts[2:]
    for part in dict.fromkeys(p.strip(_TRIM) for p in parts):
        value = parse_answer(field, part, texts)
        if not isinstance(value, FieldError):
            return value, part, None
        first = first or value
    return None, words, first


def _shaped(fields: list[FieldSpec], at: FieldSpec | None) -> list[FieldSpec]:
    """Fields whose answers show by their shape; the pending one first, mobiles before office numbers."""
    order = {"uscc": 0, "email": 1, "mobile": 2, "office_phone": 3}
    return sorted((f for f in fields if f.type in order), key=lambda f: (order[f.type], f is not at))
