"""What a message says to a form: a command, a change to an answer, a resume code, a wish for explanation."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from bot.forms.definition import Answers, FieldSpec, Form
from bot.forms.journey import find_fields
from bot.texts import Texts
from knowledge.text import normalise

_CODE = re.compile(r"(?:续填码\s*(?:是|[:：])?\s*)?(?P<code>[cC][-—－ ]?[0-9A-Za-z]{5}[-—－ ]?[0-9A-Za-z]{5})[。.]?")
_BARE_CODE = re.compile(r"续填码\s*(?:是|[:：])?\s*(?P<code>[0-9A-Za-z]{5}[-—－ ]?[0-9A-Za-z]{5})[。.]?")


@dataclass(frozen=True)
class Edit:
    """A change: of which fields, best first (none: of the last answer), to which words (empty: not said)."""

    fields: tuple[FieldSpec, ...]
    named: str
    words: str


class Words:
    """Reads messages by the lists and patterns of `prompts/texts/filling.yaml`."""

    def __init__(self, texts: Texts) -> None:
        lists: dict[str, list[str]] = texts.get("filling.words")
        self._commands = {normalise(w): name for name, words in lists.items() for w in words}
        self._edits = [re.compile(p, re.DOTALL) for p in texts.get("filling.edits")]
        self._how = str(texts.get("filling.how_after"))

    def command(self, text: str) -> str | None:
        """The command that the whole message is."""
        plain = normalise(text).strip(" 。.!?,，~～;；")
        return self._commands.get(plain) or self._commands.get(plain.rstrip("吧了啊呀哦"))

    def code(self, text: str) -> str | None:
        """The resume code that the whole message is."""
        said = unicodedata.normalize("NFKC", text).strip()
        match = _BARE_CODE.fullmatch(said) or _CODE.fullmatch(said)
        # Eleven letters beginning with C may be a word; a code has hyphens or a digit.
        return match["code"] if match and re.search(r"[-—－ \d]", said) else None

    def how(self, text: str, field: FieldSpec) -> bool:
        """Whether the message asks what to write into this field."""
        names = "|".join(re.escape(n) for n in (field.title, *field.aliases, *field.label_in_group))
        plain = normalise(text).strip(" 。.!?,，")
        return bool(re.fullmatch(f"(?:{names})?{self._how}", plain, re.IGNORECASE))

    def edit(self, text: str, form: Form, answers: Answers) -> Edit | None:
        """The change that a message asks for; None where it names no field of the form."""
        said = text.strip()
        for pattern in self._edits:
            match = pattern.match(said)
            if not match:
                continue
            groups = match.groupdict()
            words = (groups.get("value") or "").strip()
            named = re.sub(r"的(?=.)", "", (groups.get("field") or "").strip(' “”"的'))
            if "field" not in groups:
                return Edit((), "", words)
            if fields := self._named(form, answers, named):
                return Edit(tuple(fields), named, words)
        return None

    @staticmethod
    def _named(form: Form, answers: Answers, named: str) -> Sequence[FieldSpec]:
        """Fields whose names hold what was said; not those whose name merely stands in it ("改性设备的项目")."""
        key = re.sub(r"\s", "", named).casefold()
        return [
            f for f in find_fields(form, answers, named)
            if any(key in n.casefold() for n in (f.title, *f.aliases, *f.label_in_group))
        ]  # fmt: skip

    def unknown_field(self, text: str) -> str | None:
        """What "修改 X" calls a field, where no field is called so."""
        match = re.fullmatch(r"(?:修改|更改)\s*(?P<field>\S{1,16})", text.strip())
        return match["field"] if match else None


def firm_labels(form: Form, text: str) -> set[str]:
    """Ids of the fields whose names stand in a text with a colon behind them."""
    found = set()
    for match in re.finditer(r"([^\s，,；;。、:：]{1,24})[ \t]*[:：]", text):
        before = match[1].casefold()
        for field in form.fields():
            names = (field.title, *field.aliases, *field.label_in_group)
            if any(before.endswith(n.casefold()) for n in names):
                found.add(field.id)
    return found
