"""One message to one form, and what is said of it: questions, reviews, and what the history keeps of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.conversation import Conversation, FormPlace
from bot.engines.base import Book
from bot.forms.definition import FieldSpec, Form
from bot.forms.drafts import Draft
from bot.forms.journey import asked, mask, prefills, progress, say
from bot.forms.review import Review, Shortfall, review
from bot.messages import Attachment, Choice, Kept, Message, Progress, Reply, Status
from bot.texts import Texts
from bot.understanding.privacy import mask as mask_text
from knowledge.pack import Threshold

_LONG = 80
_CITED = 4


@dataclass
class Voice:
    """Says values, and remembers which of them are personal, so that the history can be given them masked."""

    texts: Texts
    _covers: dict[str, str] = field(default_factory=dict)

    def say(self, spec: FieldSpec, value: Any) -> str:
        """A value as the person reads it."""
        said = say(spec, value, self.texts)
        if spec.personal and value is not None:
            self._covers[said] = mask(spec, value, self.texts)
        return said

    def masked(self, spec: FieldSpec, value: Any) -> str:
        """A value as the history keeps it."""
        return mask(spec, value, self.texts)

    def hide(self, words: str, instead: str) -> None:
        """Words that the history must not keep."""
        if words.strip():
            self._covers[words] = instead

    def cover(self, text: str) -> str:
        """A text with the personal values masked."""
        for said in sorted(self._covers, key=len, reverse=True):
            text = text.replace(said, self._covers[said])
        return text


@dataclass
class Scene:
    """One message to one form. `place` is the conversation's, changed in place of the step's answer."""

    message: Message
    conversation: Conversation
    form: Form
    draft: Draft
    voice: Voice
    book: Book
    said: str | None = None
    """What the history keeps instead of the message."""

    @property
    def texts(self) -> Texts:
        """The texts."""
        return self.book.texts

    @property
    def answers(self) -> dict[str, Any]:
        """The answers so far."""
        return self.draft.answers

    @property
    def place(self) -> FormPlace:
        """What was asked last."""
        assert self.conversation.form is not None
        return self.conversation.form

    def at(self) -> FieldSpec | None:
        """The field that was asked last, if it is still asked."""
        wanted = self.place.at
        return next((f for f in asked(self.form, self.answers) if f.id == wanted), None)

    def render(self, key: str, **values: Any) -> str:
        """A text of `filling`."""
        return self.texts.render(f"filling.{key}", **values)

    def move(self, mode: str = "ask", at: str | None = None, **more: Any) -> None:
        """What is asked now."""
        self.conversation.form = FormPlace(form=self.form.id, mode=mode, at=at, seen=self.draft.version, **more)

    def progress(self, at: FieldSpec | None = None) -> Progress:
        """How far the person is."""
        return progress(self.form, self.answers, at)

    def reply(
        self,
        parts: Iterable[str],
        choices: Sequence[Choice] = (),
        *,
        at: FieldSpec | None = None,
        attachments: tuple[Attachment, ...] = (),
    ) -> Reply:
        """The reply, with what the history keeps of it."""
        self.conversation.pending = None
        text = "\n\n".join(p for p in parts if p)
        covered = self.voice.cover(text)
        typed = self.message.text
        if self.said is None and mask_text(typed) != typed:
            self.said = mask_text(typed)
        kept = None
        if self.said is not None or covered != text or attachments:
            kept = Kept(message=self.said, reply=covered if covered != text or attachments else None)
        return Reply(
            text=text, status=Status.FORM, citations=self.book.citations()[:_CITED], choices=tuple(choices),
            attachments=attachments, progress=self.progress(at), kept=kept,
        )  # fmt: skip

    def button(self, name: str, value: str, **values: Any) -> Choice:
        """A button with a label of `filling.buttons`."""
        return Choice(label=self.render(f"buttons.{name}", **values), value=value)

    def review(self, thresholds: Mapping[str, Threshold]) -> Review:
        """The look at the whole form."""
        return review(self.form, self.answers, thresholds.values(), self.texts, self.conversation.profile)

    def question(self, at: FieldSpec) -> tuple[list[str], list[Choice]]:
        """The question of a field with its buttons."""
        fields = asked(self.form, self.answers)
        number = next((n for n, f in enumerate(fields, 1) if f.id == at.id), len(fields))
        section = self.form.section_of(at.id).title
        lines = [
            self.render("question.head", n=number, total=len(fields), section=section),
            self.render("question.title", title=at.title, optional=at.skippable(self.answers)),
        ]
        value = self.answers.get(at.id)
        if value is not None:
            lines.append(self.render("question.now", value=self.voice.say(at, value)))
        else:
            lines.append(self.render("question.example", example=at.example))
        choices = [Choice(label=o.label, value=f"f:v:{at.id}:{o.value}") for o in at.choices]
        if at.type == "yes_no":
            words = self.texts.get("forms.words")
            choices = [Choice(label=words[v], value=f"f:v:{at.id}:{v}") for v in ("yes", "no")]
        known = [p for p in prefills(self.form, self.answers, self.conversation.profile) if p.field_id == at.id]
        choices += [
            Choice(label=self.render("known.use", value=say(at, p.value, self.texts)), value=f"f:use:{at.id}")
            for p in known
        ]
        if value is not None:
            choices.append(self.button("keep", f"f:keep:{at.id}"))
        choices.append(self.button("why", f"f:why:{at.id}"))
        if value is None and at.skippable(self.answers):
            choices.append(self.button("skip", f"f:skip:{at.id}"))
        if number > 1:
            choices.append(self.button("back", f"f:back:{at.id}"))
        choices.append(self.button("stop", "f:stop"))
        return ["\n".join(lines)], choices

    def rows(self, look: Review) -> list[str]:
        """The answers as a person reads them, by section."""
        parts = []
        for section in look.sections:
            lines = [self.render("review.section", title=section.title)]
            for spec, _ in section.rows:
                if spec.id not in self.answers:
                    continue
                said = self.voice.say(spec, self.answers[spec.id])
                short = said if len(said) <= _LONG else said[:_LONG] + "…"
                lines.append(self.render("review.row", title=spec.title, value=short))
            if len(lines) > 1:
                parts.append("\n".join(lines))
        return parts or [self.render("review.empty")]

    def findings(self, look: Review) -> list[str]:
        """What is missing, what contradicts what, what falls short."""
        parts = []
        if look.missing:
            parts.append(self.render("review.missing", titles=[f.title for f in look.missing]))
        for key, texts in (
            ("errors", [f.text for f in look.findings if f.level == "error"]),
            ("notices", [f.text for f in look.findings if f.level != "error"]),
            ("shortfalls", [self.shortfall(s, "review") for s in look.shortfalls]),
        ):
            if texts:
                lines = [self.render("review.line", text=t) for t in texts]
                parts.append("\n".join([self.render(f"review.{key}"), *lines]))
        return parts

    def shortfall(self, short: Shortfall, key: str = "noted") -> str:
        """A figure below a threshold, with its clause, which is cited."""
        threshold = short.threshold
        self.book.cite(threshold.clause, threshold.quote)
        return self.render(f"{key}.short", text=short.text, note=short.note, clause=threshold.clause)
