"""The end of a form: the review, handing in, the receipt; putting aside, giving up; deleting a person's data."""

from __future__ import annotations

from dataclasses import replace

from bot.conversation import Conversation, Profile
from bot.forms.drafts import ABANDONED, SUBMITTED, ChangedElsewhere, Submission
from bot.forms.journey import asked
from bot.messages import Choice, Kept, Message, Reply
from bot.steps.filling.scene import Scene
from bot.steps.filling.tools import Tools


class Closing:
    """The part of the step that closes forms."""

    def __init__(self, tools: Tools) -> None:
        self._t = tools

    def show(self, scene: Scene) -> Reply:
        """Everything filled in so far; then the question that was open."""
        at = scene.at() if scene.place.mode != "review" else None
        if at is None:
            return self._t.review(scene)
        look = scene.review(self._t.pack.thresholds)
        parts = [scene.render("review.head", title=scene.form.title), *scene.rows(look)]
        return self._t.ask(scene, parts, at)

    async def hand_in(self, scene: Scene, version: str | None = None) -> Reply:
        """Hand in what was reviewed; before a review, or where something is missing or wrong, show that first."""
        draft = scene.draft
        looked = scene.place.mode == "review" and scene.place.seen == draft.version
        if version is not None and version != str(draft.version):
            looked = False
        if scene.place.seen != draft.version:
            return self._t.review(scene, [scene.render("changed")])
        if not looked or not scene.review(self._t.pack.thresholds).complete:
            return self._t.review(scene, handing_in=True)
        concerned = {f.id for f in asked(scene.form, scene.answers)}
        handed = {k: v for k, v in scene.answers.items() if k in concerned}
        centre = handed.get("centre_name") or handed.get("unit")
        try:
            done = await self._t.desk.submit(replace(draft, answers=handed), centre, scene.message.at)
        except ChangedElsewhere:
            scene.draft = await self._t.desk.draft(scene.conversation.id, scene.form.id) or draft
            return self._t.review(scene, [scene.render("changed")])
        text = self._t.render("submitted.text", receipt=done.receipt, revision=done.revision)
        official = scene.book.render(scene.form.official, scene.conversation.profile)
        parts = [text, official, self._t.render("submitted.revise")]
        file = await self._t.copy(done, scene.message.at)
        reply = scene.reply(parts, [scene.button("dates", "c:dates")], attachments=(file,))
        scene.conversation.form = None
        return reply

    async def receipt(self, message: Message, conversation: Conversation) -> Reply:
        """The last receipt with the copy."""
        earlier = await self._t.desk.submissions(conversation.id)
        if not earlier:
            return self._t.plain(self._t.render("submitted.none"), conversation)
        return await self.said_earlier(message, conversation, earlier[-1])

    async def said_earlier(self, message: Message, conversation: Conversation, last: Submission) -> Reply:
        """What was handed in before, with the copy (which the history does not keep)."""
        day = f"{last.submitted_at:%Y-%m-%d}"
        text = self._t.render("submitted.earlier", receipt=last.receipt, revision=last.revision, at=day)
        text += "\n\n" + self._t.render("submitted.revise")
        file = await self._t.copy(last, message.at)
        reply = self._t.plain(text, conversation)
        return reply.model_copy(update={"attachments": (file,), "kept": Kept(reply=text)})

    def stop(self, scene: Scene) -> Reply:
        """Put the form aside."""
        place = scene.progress()
        text = scene.render("stop", done=place.done, total=place.total)
        buttons = [scene.button("resume", f"f:resume:{scene.form.id}"), scene.button("code", "f:code")]
        reply = scene.reply([text], buttons)
        scene.conversation.form = None
        return reply

    def ask_abandon(self, scene: Scene) -> Reply:
        """Whether the person means to give up."""
        scene.move("abandon", scene.place.at)
        text = scene.render("abandon.ask", done=scene.progress().done, receipt=scene.draft.receipt)
        choices = [
            Choice(label=scene.render("abandon.yes"), value=f"f:drop:{scene.draft.version}"),
            Choice(label=scene.render("abandon.no"), value="f:no"),
            scene.button("stop", "f:stop"),
        ]
        return scene.reply([text], choices)

    async def abandon(self, scene: Scene) -> Reply:
        """Give the draft up; what was handed in before stays as it was."""
        draft, handed = scene.draft, None
        if draft.receipt:
            earlier = await self._t.desk.submissions(scene.conversation.id, scene.form.id)
            handed = next((s for s in earlier if s.receipt == draft.receipt), None)
        if scene.draft.version != scene.place.seen:
            return self._t.changed(scene)
        if draft.version:
            gone = replace(draft, state=ABANDONED, answers={})
            if handed is not None:
                gone = replace(draft, state=SUBMITTED, answers=dict(handed.answers or {}))
            try:
                await self._t.desk.save(self._t.filled(gone, scene.form), scene.message.at)
            except ChangedElsewhere:
                scene.draft = await self._t.desk.draft(scene.conversation.id, scene.form.id) or draft
                return self._t.changed(scene)
        scene.conversation.form = None
        key = "abandon.done_receipt" if handed is not None else "abandon.done"
        return self._t.plain(self._t.render(key, receipt=draft.receipt), scene.conversation)

    def ask_erase(self, conversation: Conversation) -> Reply:
        """Whether the person means to delete everything."""
        choices = [
            Choice(label=self._t.render("erase.yes"), value="f:erase:yes"),
            Choice(label=self._t.render("erase.no"), value="f:erase:no"),
        ]
        reply = self._t.plain(self._t.render("erase.ask"), conversation, choices)
        conversation.pending = {"kind": "erase"}
        return reply

    async def erase(self, message: Message, conversation: Conversation) -> Reply:
        """Delete everything; the conversation begins anew with this turn."""
        gone = await self._t.desk.erase(conversation.id, message.at)
        conversation.profile, conversation.form, conversation.pending = Profile(), None, None
        conversation.last_topics, conversation.last_question = (), ""
        conversation.turns.clear()
        conversation.version = 0
        text = self._t.render(
            "erase.done", conversations=gone.conversations, turns=gone.turns, drafts=gone.drafts,
            submissions=gone.submissions, kept=gone.kept,
        )  # fmt: skip
        return self._t.plain(text, conversation)

    def keep_all(self, conversation: Conversation) -> Reply:
        """Nothing is deleted after all."""
        return self._t.plain(self._t.render("erase.refused"), conversation)
