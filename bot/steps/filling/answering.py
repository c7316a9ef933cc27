"""Answers to a form: one, several in a message, a change, a step back, a field left out, a question about it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any

from bot.forms.definition import FieldSpec
from bot.forms.journey import FieldError, asked, field_before, mask, parse_answer, prefills, skip_answer
from bot.forms.takeapart import Taken, take_apart
from bot.messages import Choice, Reply
from bot.steps.filling.scene import Scene
from bot.steps.filling.tools import Tools
from bot.steps.filling.words import Edit, firm_labels
from bot.understanding.privacy import mask as mask_text
from knowledge.text import normalise

_LONG_KINDS = frozenset({"long_text", "list", "yearly"})
_FREE = frozenset({"short_text", "long_text", "list", "person"})
_ASKING_ENDS = ("?", "？", "吗", "呢", "么")


class Answers:
    """The part of the step that takes answers."""

    def __init__(self, tools: Tools) -> None:
        self._t = tools

    async def said(self, scene: Scene, text: str) -> Reply | None:
        """The reply to words while a field is asked; None lets a question through."""
        at = scene.at()
        if at is None:
            return self._t.ask(scene)
        if self._t.words.how(text, at):
            return self.how(scene)
        edit = self._t.words.edit(text, scene.form, scene.answers)
        if edit is not None and (reply := await self.edit(scene, edit)):
            return reply
        asks = self._asks(text)
        if asks and await self._t.confident(scene.message, scene.conversation):
            return None
        if several := self._several(scene, text, at):
            return self.offer(scene, several)
        value = self._own(scene, text, at)
        strong = asks and text.strip().endswith(_ASKING_ENDS)
        if isinstance(value, FieldError):
            return None if strong else self._refused(scene, at, value, text)
        if strong and at.type in _FREE:
            return self._doubt(scene, at, value)
        return await self.accept(scene, {at.id: value})

    async def pressed(self, scene: Scene, field_id: str, value: str) -> Reply:
        """A button of a closed set; of an earlier question, it changes that answer."""
        field = next((f for f in asked(scene.form, scene.answers) if f.id == field_id), None)
        if field is None:
            return self._t.again(scene)
        if field.type == "yes_no":
            return await self.accept(scene, {field.id: value == "yes"})
        if value not in {o.value for o in field.choices}:
            return self._t.again(scene)
        return await self.accept(scene, {field.id: value})

    async def use(self, scene: Scene, field_id: str) -> Reply:
        """Take what the conversation knows of a field."""
        for known in prefills(scene.form, scene.answers, scene.conversation.profile):
            if known.field_id == field_id:
                return await self.accept(scene, {field_id: known.value})
        return self._t.again(scene)

    async def accept(self, scene: Scene, values: dict[str, Any]) -> Reply:
        """Keep confirmed answers, say them back, point out what follows, and ask on."""
        before, earlier = asked(scene.form, scene.answers), dict(scene.answers)
        fields = [scene.form.field(name) for name in values]
        scene.said = self._kept(scene, fields, values)
        if not await self._t.keep(scene, values):
            return self._t.changed(scene)
        if len(fields) == 1:
            lines = [self._noted(scene, fields[0], earlier)]
        else:
            lines = [scene.render("noted.many", count=len(fields))]
        return self._t.ask(scene, [*lines, *self._t.consequences(scene, before, values)])

    async def skip(self, scene: Scene, field_id: str | None = None) -> Reply:
        """Leave a field out, where that is allowed."""
        at = scene.at()
        if at is None or (field_id is not None and at.id != field_id):
            return self._t.again(scene)
        if scene.answers.get(at.id) is not None:
            return self._t.ask(scene)
        if error := skip_answer(at, scene.answers, self._t.texts):
            return self._t.again(scene, [error.message])
        if not await self._t.keep(scene, {at.id: None}):
            return self._t.changed(scene)
        return self._t.ask(scene, [scene.render("noted.skipped", title=at.title)])

    def back(self, scene: Scene, field_id: str | None = None) -> Reply:
        """Ask the field before; the answers stay."""
        if field_id is not None and scene.place.at not in (field_id, None):
            return self._t.again(scene)
        before = field_before(scene.form, scene.answers, scene.place.at)
        if before is None:
            return self._t.again(scene, [scene.render("first")])
        return self._t.ask(scene, (), before)

    def why(self, scene: Scene, field_id: str | None = None) -> Reply:
        """Why the field is asked, with its clause."""
        fields = {f.id: f for f in asked(scene.form, scene.answers)}
        at = fields.get(field_id or "") or scene.at()
        if at is None:
            return self._t.again(scene)
        for ref in at.clause:
            scene.book.cite(ref)
        need = "why_optional" if at.skippable(scene.answers) else "why_required"
        return self._t.again(scene, [scene.render("why", title=at.title, why=at.why) + scene.render(need)])

    def how(self, scene: Scene) -> Reply:
        """What to write into the field."""
        at = scene.at()
        if at is None:
            return self._t.again(scene)
        for ref in at.clause:
            scene.book.cite(ref)
        return self._t.again(scene, [scene.render("how", title=at.title, why=at.why)])

    def unknown(self, scene: Scene) -> Reply:
        """The person does not know the answer now."""
        at = scene.at()
        if at is None:
            return self._t.again(scene)
        if at.skippable(scene.answers):
            return self._t.again(scene, [scene.render("unknown_optional")])
        later = [f for f in asked(scene.form, scene.answers) if f.id not in scene.answers and f.id != at.id]
        return self._t.again(scene, [scene.render("unknown_required", example=(later[0] if later else at).title)])

    async def edit(self, scene: Scene, edit: Edit) -> Reply | None:
        """Change an answer; None where the words are no change after all."""
        if not edit.named:
            last = field_before(scene.form, scene.answers, scene.place.at)
            if last is None or (edit.words and isinstance(parse_answer(last, edit.words, self._t.texts), FieldError)):
                return None
            return await self._change(scene, last, edit.words)
        fields = [f for f in edit.fields if f.id in scene.answers] or list(edit.fields)
        if len(fields) == 1:
            return await self._change(scene, fields[0], edit.words)
        return self._which(scene, fields[:6], edit)

    def _which(self, scene: Scene, fields: list[FieldSpec], edit: Edit) -> Reply:
        scene.move("which", scene.place.at, options=tuple(f.id for f in fields), words=edit.words)
        if edit.words:
            scene.said = scene.render("kept.unread")
        choices = [Choice(label=f.title, value=f"f:edit:{f.id}") for f in fields]
        return scene.reply([scene.render("which.text", words=edit.named)], choices)

    async def chosen(self, scene: Scene, field_id: str) -> Reply:
        """The field that a change means."""
        field = next((f for f in asked(scene.form, scene.answers) if f.id == field_id), None)
        if field is None:
            return self._t.again(scene)
        words = scene.place.words if field_id in scene.place.options else ""
        return await self._change(scene, field, words)

    async def which(self, scene: Scene, text: str) -> Reply | None:
        """The field that a change means, in words: its number in the list, or its name."""
        options = [scene.form.field(name) for name in scene.place.options]
        said = normalise(text).strip()
        if said.isdigit() and 1 <= int(said) <= len(options):
            return await self.chosen(scene, options[int(said) - 1].id)
        fits = [f for f in options if said and (said in normalise(f.title) or said in f.aliases)]
        if len(fits) == 1:
            return await self.chosen(scene, fits[0].id)
        scene.move("ask", scene.place.at)
        return await self.said(scene, text)

    async def _change(self, scene: Scene, field: FieldSpec, words: str) -> Reply:
        if not words:
            return self._t.ask(scene, (), field)
        value = parse_answer(field, words, self._t.texts)
        if isinstance(value, FieldError):
            scene.move("ask", field.id)
            return self._refused(scene, field, value, words)
        return await self.accept(scene, {field.id: value})

    def _several(self, scene: Scene, text: str, at: FieldSpec) -> list[Taken]:
        """Answers to other fields than the one asked, where a message clearly holds some."""
        taken = take_apart(scene.form, text, self._t.texts, scene.answers, at)
        if not taken:
            return []
        labels = firm_labels(scene.form, text)
        others = [t for t in taken if t.field.id != at.id]
        unread = isinstance(parse_answer(at, text, self._t.texts), FieldError)
        if at.type in _LONG_KINDS and not unread:
            # A paragraph may name anything ("标准3项"); only "名称：" counts here.
            sure = [t for t in others if t.field.id in labels]
            return taken if sure and text.strip() and not (at.id in labels and len(labels) == 1) else []
        if not others:
            return []
        if len(taken) > 1:
            sure = [t for t in taken if t.field.id in labels or not t.error]
            return taken if len(sure) > 1 or labels else []
        sole = others[0]
        shaped = sole.field.type in ("mobile", "email", "uscc", "office_phone") and sole.field.type != at.type
        if sole.field.id in labels or shaped:
            return taken
        return taken if unread and not sole.error else []

    def _own(self, scene: Scene, text: str, at: FieldSpec) -> Any:
        """The value for the field that was asked; its own name in front is taken off."""
        value = parse_answer(at, text, self._t.texts)
        said = unicodedata.normalize("NFKC", text).strip()
        for name in sorted((at.title, *at.aliases, *at.label_in_group), key=len, reverse=True):
            if said.startswith(name):
                rest = said[len(name) :].lstrip()
                bare = rest.lstrip(":是为 ")
                if bare and (rest[:1] in ":是为" or isinstance(value, FieldError)):
                    own = parse_answer(at, bare, self._t.texts)
                    return value if isinstance(own, FieldError) else own
        return value

    def offer(self, scene: Scene, taken: list[Taken]) -> Reply:
        """Say back what was read in a message, to be confirmed."""
        found = dict(scene.place.found) if scene.place.mode == "confirm" else {}
        found |= {t.field.id: t.value for t in taken if not t.error}
        found = {k: v for k, v in found.items() if k not in scene.answers or scene.answers[k] != v}
        errors = [t.error.message for t in taken if t.error]
        for t in taken:
            if t.error:
                scene.voice.hide(t.error.message, scene.render("kept.rejected", title=t.field.title))
        scene.said = scene.render("kept.many", titles=[t.field.title for t in taken])
        if not found:
            lines = [scene.render("confirm.only_errors", errors=errors)] if errors else []
            lines += [] if errors else [self._same(scene, t) for t in taken]
            return self._t.again(scene, lines)
        rows = [self._row(scene, name, value) for name, value in found.items()]
        scene.move("confirm", scene.place.at, found=found)
        text = scene.render("confirm.text", rows=rows, errors=errors)
        return scene.reply([text], self._confirming(scene))

    def correct(self, scene: Scene, text: str) -> Reply | None:
        """Under values that wait to be confirmed, a change of one of them; the others go on waiting."""
        edit, found = self._t.words.edit(text, scene.form, {**scene.answers, **scene.place.found}), scene.place.found
        if edit is None or not edit.words:
            return None
        fields = [f for f in edit.fields if f.id in found]
        if not edit.named and len(found) == 1:
            fields = [scene.form.field(next(iter(found)))]
        if len(fields) != 1:
            return None
        value = parse_answer(fields[0], edit.words, self._t.texts)
        error = value if isinstance(value, FieldError) else None
        return self.offer(scene, [Taken(fields[0], None if error else value, edit.words, error)])

    def _doubt(self, scene: Scene, at: FieldSpec, value: Any) -> Reply:
        scene.said = self._kept(scene, [at], {at.id: value})
        scene.move("confirm", at.id, found={at.id: value})
        text = scene.render("confirm.doubtful", said=scene.voice.say(at, value), title=at.title)
        return scene.reply([text], self._confirming(scene))

    def _confirming(self, scene: Scene) -> list[Choice]:
        return [
            Choice(label=scene.render("confirm.yes"), value=f"f:yes:{scene.draft.version}"),
            Choice(label=scene.render("confirm.no"), value="f:no"),
        ]

    def offered(self, scene: Scene) -> Reply:
        """Say once more what waits to be confirmed."""
        rows = [self._row(scene, name, value) for name, value in scene.place.found.items()]
        text = scene.render("confirm.text", rows=rows, errors=[])
        return scene.reply([text], self._confirming(scene))

    def _row(self, scene: Scene, name: str, value: Any) -> dict[str, Any]:
        field, before = scene.form.field(name), scene.answers.get(name)
        return {
            "title": field.title, "value": scene.voice.say(field, value),
            "before": scene.voice.say(field, before) if before is not None else None,
        }  # fmt: skip

    def _same(self, scene: Scene, taken: Taken) -> str:
        return scene.render("noted.same", title=taken.field.title, value=scene.voice.say(taken.field, taken.value))

    def _noted(self, scene: Scene, field: FieldSpec, earlier: dict[str, Any]) -> str:
        value, before = scene.answers[field.id], earlier.get(field.id)
        said = {"title": field.title, "value": scene.voice.say(field, value)}
        if before is None or before == value:
            return scene.render("noted.one", **said)
        return scene.render("noted.changed", before=scene.voice.say(field, before), **said)

    def _refused(self, scene: Scene, field: FieldSpec, error: FieldError, text: str) -> Reply:
        # A wrong value may be somebody's number with a slip: the history keeps neither it nor what quotes it.
        kept = scene.render("kept.rejected", title=field.title)
        if field.personal or mask_text(error.message) != error.message:
            scene.said = kept
            scene.voice.hide(error.message, kept)
        parts = [error.message]
        if field.skippable(scene.answers):
            parts.append(scene.render("skip_hint"))
        return self._t.ask(scene, parts, field)

    def _kept(self, scene: Scene, fields: Iterable[FieldSpec], values: dict[str, Any]) -> str | None:
        """What the history keeps of a message with personal answers."""
        fields = list(fields)
        if not any(f.personal for f in fields):
            return None
        lines = [scene.render("kept.answer", title=f.title, value=mask(f, values[f.id], self._t.texts)) for f in fields]
        return "；".join(lines)

    def _asks(self, text: str) -> bool:
        plain = normalise(text)
        return any(mark in plain for mark in self._t.pack.lexicon.question_marks)
