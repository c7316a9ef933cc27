"""Beginning a form and coming back to it: consent, what is known already, resume codes, how far one is."""

from __future__ import annotations

from dataclasses import replace

from bot.conversation import Conversation, FormPlace, Profile
from bot.engines.base import Book
from bot.engines.eligibility import shown
from bot.forms.definition import Form
from bot.forms.drafts import NEEDS_CORRECTION, OPEN, SUBMITTED, CodeRefused, Submission
from bot.forms.journey import asked, next_field, prefills
from bot.messages import Choice, Kept, Message, Reply
from bot.steps.filling.scene import Scene
from bot.steps.filling.tools import Tools
from knowledge.eligibility import Finding, Verdict, decide
from knowledge.pack import Role


class Opening:
    """The part of the step that opens forms."""

    def __init__(self, tools: Tools) -> None:
        self._t = tools

    @property
    def _version(self) -> str:
        return str(self._t.texts.get("filling.consent.version"))

    def form_for(self, conversation: Conversation) -> str:
        """The form of the person's role; an applicant's where it is not known."""
        role = conversation.profile.role or Role.APPLICANT
        form = self._t.forms.for_role(role) or next(iter(self._t.forms.current.values()))
        return form.id

    async def open(self, message: Message, conversation: Conversation, form_id: str | None = None) -> Reply:
        """Open a form: first consent, then where the person stands."""
        open_one = await self._t.desk.draft(conversation.id) if form_id is None else None
        wanted = form_id or (open_one.form if open_one else self.form_for(conversation))
        form = self._t.forms.get(wanted) or self._t.forms.get(self.form_for(conversation))
        assert form is not None
        if not await self._t.desk.consented(conversation.id, self._version):
            conversation.form = FormPlace(form=form.id, mode="consent")
            return self._consent(form, conversation)
        return await self._go_on(message, conversation, form.id)

    def _consent(self, form: Form, conversation: Conversation, key: str = "text") -> Reply:
        choices = [
            Choice(label=self._t.render("consent.yes"), value="f:agree"),
            Choice(label=self._t.render("consent.no"), value="f:disagree"),
        ]
        if conversation.profile.role is None and form.role is not Role.OFFICER:
            choices.append(Choice(label=self._t.render("consent.officer"), value="c:form_roster"))
        return self._t.plain(self._t.render(f"consent.{key}", title=form.title), conversation, choices)

    async def consent(self, message: Message, conversation: Conversation, command: str | None) -> Reply | None:
        """The answer to the consent text; None lets a question through."""
        place = conversation.form
        assert place is not None
        form = self._t.forms.get(place.form)
        if form is None or command in ("no", "cancel", "stop", "abandon"):
            conversation.form = None
            return self._t.plain(self._t.render("consent.refused"), conversation)
        if command == "yes":
            await self._t.desk.consent(conversation.id, self._version, message.at)
            return await self._go_on(message, conversation, form.id)
        if command is None and message.text:
            return None
        return self._consent(form, conversation, "again")

    def consent_reminder(self, conversation: Conversation) -> tuple[str, tuple[Choice, ...]]:
        """The consent asked for once more, under an answer."""
        assert conversation.form is not None
        form = self._t.forms.get(conversation.form.form)
        choices = self._consent(form, conversation).choices if form else ()
        return self._t.render("consent.short"), choices

    async def _go_on(self, message: Message, conversation: Conversation, form_id: str) -> Reply:
        """Ask on in the open draft; without one, offer what was handed in, or begin."""
        draft = await self._t.desk.draft(conversation.id, form_id)
        if draft is None and (earlier := await self._t.desk.submissions(conversation.id, form_id)):
            conversation.form = None
            return self._earlier(form_id, earlier, conversation)
        if draft is None:
            return await self.begin(message, conversation, form_id)
        return await self._resume(message, conversation, form_id)

    def _earlier(self, form_id: str, earlier: list[Submission], conversation: Conversation) -> Reply:
        form = self._t.forms.get(form_id)
        rows = [{"receipt": s.receipt, "revision": s.revision, "centre": s.centre, "at": self._day(s)} for s in earlier]
        text = self._t.render("start.earlier", title=form.title if form else form_id, submissions=rows)
        choices = [
            Choice(label=self._t.render("start.again"), value=f"f:again:{form_id}"),
            Choice(label=self._t.render("start.new"), value=f"f:new:{form_id}"),
        ]
        return self._t.plain(text, conversation, choices)

    @staticmethod
    def _day(submission: Submission) -> str:
        return f"{submission.submitted_at:%Y-%m-%d}"

    async def begin(self, message: Message, conversation: Conversation, form_id: str) -> Reply:
        """An empty form: what it is for, what is known already, the first question."""
        if not await self._t.desk.consented(conversation.id, self._version):
            return await self.open(message, conversation, form_id)
        conversation.form = None
        scene = await self._t.scene(message, conversation, form_id)
        if scene is None:
            return await self.open(message, conversation)
        if scene.answers:
            return await self._resume(message, conversation, form_id)
        scene.move("ask")
        parts = [
            scene.render("start.lead"), scene.book.render(scene.form.official, conversation.profile),
            *self._verdict(scene.form, conversation.profile, scene.book),
        ]  # fmt: skip
        known = prefills(scene.form, scene.answers, conversation.profile)
        if not known:
            return self._t.ask(scene, parts)
        scene.move("known", found={p.field_id: p.value for p in known})
        return scene.reply([*parts, self._known(scene)], self._known_choices(scene))

    def _known(self, scene: Scene) -> str:
        said = {p.field_id: p.said for p in prefills(scene.form, {}, scene.conversation.profile)}
        rows = [
            {"title": f.title, "value": scene.voice.say(f, scene.place.found[f.id]), "said": said.get(f.id, "")}
            for f in scene.form.fields() if f.id in scene.place.found
        ]  # fmt: skip
        return scene.render("known.text", rows=rows)

    @staticmethod
    def _known_choices(scene: Scene) -> list[Choice]:
        return [
            Choice(label=scene.render("known.yes"), value=f"f:yes:{scene.draft.version}"),
            Choice(label=scene.render("known.no"), value="f:no"),
        ]

    def known_again(self, scene: Scene) -> Reply:
        """Offer what is known once more."""
        return scene.reply([self._known(scene)], self._known_choices(scene))

    def _verdict(self, form: Form, profile: Profile, book: Book) -> list[str]:
        """What the conversation's eligibility answers come to, before an applicant spends time on a form."""
        if form.role is not Role.APPLICANT or not profile.conditions:
            return []
        rules = self._t.pack.eligibility
        result = decide(rules, profile.conditions)
        if result.verdict is Verdict.IN_SCOPE:
            return [self._t.render("start.in_scope")]
        if result.verdict is not Verdict.NOT_IN_SCOPE:
            return []
        reasons = []
        for condition, finding in result.findings:
            if condition.decides and finding is Finding.NOT_MET:
                words = shown(self._t.pack, book, profile.conditions.get("batch"))
                reasons.append(book.render(condition.texts["not_met"], profile, shown=words))
                book.cite(condition.clause, condition.quote)
        return [self._t.render("start.out_of_scope", reasons=reasons)]

    async def _resume(self, message: Message, conversation: Conversation, form_id: str, *parts: str) -> Reply:
        conversation.form = None
        scene = await self._t.scene(message, conversation, form_id)
        if scene is None:
            return await self.open(message, conversation)
        scene.move("ask")
        place = scene.progress()
        lines = [*parts, scene.render("start.resumed", done=place.done, total=place.total)]
        at = None
        for submission in await self._t.desk.submissions(conversation.id, form_id):
            if submission.receipt == scene.draft.receipt and submission.state == NEEDS_CORRECTION:
                if submission.note:
                    lines.append(scene.render("start.note", note=submission.note))
                at = next((f for f in asked(scene.form, scene.answers) if f.id == submission.note_field), None)
        return self._t.ask(scene, lines, at)

    async def again(self, message: Message, conversation: Conversation, form_id: str | None) -> Reply | None:
        """Open what was handed in, to be handed in again as a new revision."""
        if await self._t.desk.draft(conversation.id, form_id) is None:
            done = await self._t.desk.draft(conversation.id, form_id, state=SUBMITTED)
            if done is None:
                return None
            await self._t.desk.save(replace(done, state=OPEN), message.at)
            form_id = done.form
        return await self.open(message, conversation, form_id)

    async def progress(self, message: Message, conversation: Conversation) -> Reply:
        """How far the open form is, section by section, and the question that is open."""
        draft = await self._t.desk.draft(conversation.id, conversation.form.form if conversation.form else None)
        if draft is None or self._t.form_of(draft) is None:
            earlier = await self._t.desk.submissions(conversation.id)
            parts = [self._t.render("none_open")]
            if earlier:
                parts.append(self._said(earlier[-1]))
            return self._t.plain("\n\n".join(parts), conversation, [self._t.button("open", "c:form")])
        if conversation.form is None or conversation.form.mode == "consent":
            conversation.form = FormPlace(form=draft.form, seen=draft.version)
        scene = await self._t.scene(message, conversation, draft.form)
        assert scene is not None
        scene.move("ask", scene.place.at)
        rows = []
        for section in scene.form.sections:
            concerned = {f.id for f in asked(scene.form, scene.answers)}
            fields = [f for f in section.fields if f.id in concerned]
            done = sum(1 for f in fields if f.id in scene.answers)
            if fields:
                rows.append({"title": section.title, "done": done, "total": len(fields)})
        place = scene.progress()
        text = scene.render("progress.text", title=scene.form.title, done=place.done, total=place.total, sections=rows)
        if next_field(scene.form, scene.answers) is None:
            return scene.reply([text, scene.render("review.ask")], [
                scene.button("show", "f:show"), scene.button("submit", "f:submit")])  # fmt: skip
        return self._t.again(scene, [text])

    def _said(self, submission: Submission) -> str:
        return self._t.render(
            "submitted.earlier", receipt=submission.receipt, revision=submission.revision, at=self._day(submission)
        )

    async def issue_code(self, message: Message, conversation: Conversation) -> Reply:
        """A resume code for another device."""
        drafts = await self._t.desk.draft(conversation.id)
        if drafts is None and not await self._t.desk.submissions(conversation.id):
            return self._t.plain(self._t.render("code.nothing"), conversation)
        code = await self._t.desk.issue_code(conversation.id, message.at)
        reply = self._t.plain(self._t.render("code.text", code=code), conversation)
        return reply.model_copy(update={"kept": Kept(reply=self._t.render("code.kept"))})

    async def redeem(self, message: Message, conversation: Conversation, code: str) -> Reply:
        """Go on with what another conversation began."""
        kept = Kept(message=self._t.render("code.said"))
        try:
            await self._t.desk.redeem_code(code, conversation.id, message.at)
        except CodeRefused as refused:
            key = "filling.code.too_many" if refused.key == "too_many" else f"store.{refused.key}.person"
            reply = self._t.plain(self._t.texts.render(key), conversation)
            return reply.model_copy(update={"kept": kept})
        draft = await self._t.desk.draft(conversation.id)
        joined = self._t.render("code.joined")
        if draft is None:
            reply = await self.open(message, conversation)
        else:
            reply = await self._resume(message, conversation, draft.form, joined)
        text = reply.kept.reply if reply.kept else None
        return reply.model_copy(update={"kept": kept.model_copy(update={"reply": text})})
