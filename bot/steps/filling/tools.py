"""What the parts of the step share: the forms, the desk, keeping answers, and asking what comes next."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from bot.conversation import Conversation
from bot.engines.base import Book
from bot.forms.definition import FieldSpec, Form, FormLibrary
from bot.forms.drafts import ChangedElsewhere, Desk, Draft, Submission
from bot.forms.journey import active_answers, asked, department_of, next_field, progress
from bot.messages import Attachment, Choice, Message, Reply, Status
from bot.steps.filling.scene import Scene, Voice
from bot.steps.filling.words import Words
from bot.texts import Texts
from knowledge.loading import Pack

Confident = Callable[[Message, Conversation], Awaitable[bool]]
"""Whether a message is a question that finds a topic for certain."""
Copy = Callable[[Submission, datetime], Awaitable[Attachment]]
"""The person's copy of what was handed in, as a document."""

_NOTHING = object()


@dataclass(frozen=True)
class Tools:
    """What the parts of the step share."""

    pack: Pack
    forms: FormLibrary
    desk: Desk
    texts: Texts
    words: Words
    day: Callable[[Message], date]
    confident: Confident
    copy: Copy

    def render(self, key: str, **values: Any) -> str:
        """A text of `filling`."""
        return self.texts.render(f"filling.{key}", **values)

    def book(self, message: Message) -> Book:
        """The pack's facts as of the message's day."""
        return Book(self.pack, self.texts, self.day(message))

    def plain(self, text: str, conversation: Conversation, choices: Iterable[Choice] = ()) -> Reply:
        """A reply outside a form."""
        conversation.pending = None
        return Reply(text=text, status=Status.FORM, choices=tuple(choices))

    def button(self, name: str, value: str, **values: Any) -> Choice:
        """A button with a label of `filling.buttons`."""
        return Choice(label=self.render(f"buttons.{name}", **values), value=value)

    def form_of(self, draft: Draft) -> Form | None:
        """A draft's form in the version that it was begun with, else as it is now."""
        return self.forms.get(draft.form, draft.form_version) or self.forms.get(draft.form)

    async def scene(self, message: Message, conversation: Conversation, form_id: str) -> Scene | None:
        """The open draft of a form, or an empty one; None where the form is no more or the draft is gone."""
        draft = await self.desk.draft(conversation.id, form_id)
        form = self.form_of(draft) if draft else self.forms.get(form_id)
        if form is None:
            return None
        if draft is None:
            if conversation.form is not None and conversation.form.form == form_id and conversation.form.seen:
                return None
            draft = self.desk.new_draft(conversation.id, form.id, form.version, message.at)
        return Scene(message, conversation, form, draft, Voice(self.texts), self.book(message))

    async def keep(self, scene: Scene, values: Mapping[str, Any]) -> bool:
        """Keep answers, durably; False where the draft was changed elsewhere, and `scene` has it as it is now.

        Saying again what is already there is no conflict: it is how a message comes again after a crash.
        """
        answers = scene.answers
        if all(answers.get(k, _NOTHING) == v for k, v in values.items()):
            return True
        if scene.draft.version != scene.place.seen:
            return False
        draft = self.filled(replace(scene.draft, answers={**answers, **values}), scene.form)
        try:
            scene.draft = await self.desk.save(draft, scene.message.at)
        except ChangedElsewhere:
            scene.draft = await self.desk.draft(scene.conversation.id, scene.form.id) or scene.draft
            return False
        return True

    @staticmethod
    def filled(draft: Draft, form: Form) -> Draft:
        """The draft with what the console lists of it."""
        active = active_answers(form, draft.answers)
        place = progress(form, draft.answers)
        return replace(
            draft, done=place.done, total=place.total, department=department_of(form, active) or None,
            unit_type=active.get("unit_type"), batch=active.get("batch"),
        )  # fmt: skip

    def ask(self, scene: Scene, parts: Iterable[str] = (), at: FieldSpec | None = None) -> Reply:
        """Ask a field (None: the next open one); all answered: show the review."""
        at = at or next_field(scene.form, scene.answers)
        if at is None:
            return self.review(scene, parts)
        scene.move("ask", at.id)
        lines, choices = scene.question(at)
        return scene.reply([*parts, *lines], choices, at=at)

    def again(self, scene: Scene, parts: Iterable[str] = ()) -> Reply:
        """Ask again what was asked last."""
        return self.ask(scene, parts, scene.at())

    def changed(self, scene: Scene) -> Reply:
        """Tell the later writer that the draft was changed elsewhere, and ask again."""
        at = scene.at()
        parts = [scene.render("changed")]
        return self.ask(scene, parts, at)

    def review(self, scene: Scene, parts: Iterable[str] = (), *, handing_in: bool = False) -> Reply:
        """Everything filled in, what is missing and what contradicts; where nothing is, whether to hand in."""
        look = scene.review(self.pack.thresholds)
        if handing_in and look.missing:
            missing = scene.render("review.missing", titles=[f.title for f in look.missing])
            return self.ask(scene, [*parts, missing, scene.render("review.not_yet")])
        scene.move("review")
        body = [*parts, scene.render("review.head", title=scene.form.title), *scene.rows(look)]
        body += scene.findings(look)
        choices = []
        if look.complete:
            body.append(scene.render("review.ask"))
            choices.append(scene.button("confirm", f"f:confirm:{scene.draft.version}"))
        elif handing_in:
            body.append(scene.render("review.not_yet"))
        for field in look.missing[:3]:
            choices.append(scene.button("fill", f"f:edit:{field.id}", title=field.title))
        wrong = {name: None for f in look.findings if f.level == "error" for name in f.fields}
        for name in list(wrong)[:3]:
            choices.append(scene.button("edit", f"f:edit:{name}", title=scene.form.field(name).title))
        choices.append(scene.button("stop", "f:stop"))
        return scene.reply(body, choices)

    def consequences(self, scene: Scene, before: list[FieldSpec], changed: Iterable[str]) -> list[str]:
        """What an answer leads to: fields now (not) needed, shortfalls, contradictions. Before: as asked then."""
        ids, names = {f.id for f in before}, set(changed)
        after = asked(scene.form, scene.answers)
        parts = []
        if next_field(scene.form, scene.answers) is None or any(f.id in names for f in before):
            known = scene.answers
            more = [f.title for f in after if f.id not in ids and known.get(f.id) is None]
            less = [f.title for f in before if f.id not in {a.id for a in after} and known.get(f.id) is not None]
            if less or (more and self._edited(scene, before, names)):
                if more:
                    parts.append(scene.render("noted.needed", titles=more))
                if less:
                    parts.append(scene.render("noted.needless", titles=less))
        look = scene.review(self.pack.thresholds)
        parts += [scene.shortfall(s) for s in look.shortfalls if names & set(s.fields)]
        for finding in look.findings:
            if names & set(finding.fields):
                key = "noted.finding_error" if finding.level == "error" else "noted.finding"
                parts.append(scene.render(key, text=finding.text))
        return parts

    @staticmethod
    def _edited(scene: Scene, before: list[FieldSpec], names: set[str]) -> bool:
        """Whether an answer was changed after later ones had been given, so that a new field is a surprise."""
        last = max((n for n, f in enumerate(before) if f.id in scene.answers), default=-1)
        return any(n < last for n, f in enumerate(before) if f.id in names)
