"""The step itself: which messages are for a form, and which part of the step takes them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.conversation import Conversation
from bot.forms.drafts import SUBMITTED
from bot.forms.journey import field_before
from bot.messages import Kept, Message, Reply, Status
from bot.steps.filling.answering import Answers
from bot.steps.filling.closing import Closing
from bot.steps.filling.opening import Opening
from bot.steps.filling.scene import Scene
from bot.steps.filling.tools import Tools
from bot.understanding.privacy import mask

_ANYTIME = ("open", "open_centre", "open_roster", "resume", "progress", "code", "erase", "receipt", "again", "new")
_OPENED = {"form": None, "form_centre": "centre", "form_roster": "roster"}


class Filling:
    """The step for forms, and (`after`) what repeats an open form's question under another step's answer."""

    def __init__(self, tools: Tools) -> None:
        self._t = tools
        self._opening = Opening(tools)
        self._answers = Answers(tools)
        self._closing = Closing(tools)

    async def __call__(self, message: Message, conversation: Conversation) -> Reply | None:
        """The reply of a form; None where none is open or asked for, or the message asks something else."""
        if message.choice:
            return await self._pressed(message.choice, message, conversation)
        command = self._t.words.command(message.text)
        if (conversation.pending or {}).get("kind") == "erase":
            if command == "yes":
                return await self._closing.erase(message, conversation)
            if command in ("no", "cancel"):
                return self._back_in(await self._scene(message, conversation), self._closing.keep_all(conversation))
            conversation.pending = None
        if code := self._t.words.code(message.text):
            return await self._opening.redeem(message, conversation, code)
        place = conversation.form
        # In a form, "继续填表" and the like repeat the question; a new form is opened by its own name.
        if command in _ANYTIME and not (place and place.mode == "consent" and command == "resume"):
            return await self._anytime(command, message, conversation)
        if place is None:
            return await self._repeated(command, message, conversation)
        if place.mode == "consent":
            return await self._opening.consent(message, conversation, command)
        scene = await self._scene(message, conversation)
        if scene is None:
            return await self._gone(message, conversation, command)
        return await self._said(scene, message.text, command)

    async def after(self, message: Message, conversation: Conversation, reply: Reply) -> Reply:
        """Repeat the open form's question under an answer that another step gave."""
        place = conversation.form
        if place is None or reply.status is Status.FORM:
            return reply
        if place.mode == "consent":
            text, choices = self._opening.consent_reminder(conversation)
            asked_again = self._t.plain(text, conversation, choices)
        else:
            scene = await self._scene(message, conversation)
            if scene is None:
                conversation.form = None
                return reply
            asked_again = self._repeat(scene)
        conversation.pending = None
        text = "\n\n".join((reply.text, "---", asked_again.text))
        covered = asked_again.kept.reply if asked_again.kept else None
        said, answer = mask(message.text), reply.text
        if said != message.text:  # an answer may say a number back
            answer, covered = mask(answer), covered or asked_again.text
        return reply.model_copy(update={
            "text": text, "choices": (*reply.choices[:3], *asked_again.choices), "progress": asked_again.progress,
            "kept": Kept(
                message=said if said != message.text else None,
                reply="\n\n".join((answer, "---", covered)) if covered else None,
            ),
        })  # fmt: skip

    def _repeat(self, scene: Scene) -> Reply:
        """What a form asked last, once more."""
        place = scene.place
        if place.mode == "confirm" and place.found:
            return self._answers.offered(scene)
        if place.mode == "known" and place.found:
            return self._opening.known_again(scene)
        if place.mode == "review":
            scene.move("review")
            return scene.reply([scene.render("review.ask")], [
                scene.button("show", "f:show"), scene.button("submit", "f:submit")])  # fmt: skip
        return self._t.again(scene)

    async def _scene(self, message: Message, conversation: Conversation) -> Scene | None:
        if conversation.form is None:
            return None
        return await self._t.scene(message, conversation, conversation.form.form)

    def _back_in(self, scene: Scene | None, reply: Reply) -> Reply:
        """A reply, and under it the open form's question, if one is open."""
        if scene is None or scene.place.mode == "consent":
            return reply
        below = self._repeat(scene)
        return below.model_copy(update={"text": f"{reply.text}\n\n{below.text}"})

    async def _gone(self, message: Message, conversation: Conversation, command: str | None) -> Reply:
        """The draft was handed in or given up elsewhere, or just before a crash that lost the reply."""
        place = conversation.form
        assert place is not None
        conversation.form = None
        handed = await self._t.desk.draft(conversation.id, place.form, state=SUBMITTED)
        if place.mode == "review" and command in ("submit", "yes") and handed is not None:
            earlier = await self._t.desk.submissions(conversation.id, place.form)
            last = next((s for s in reversed(earlier) if s.receipt == handed.receipt), None)
            if last is not None:
                return await self._closing.said_earlier(message, conversation, last)
        kept = Kept(message=self._t.render("kept.unread"))
        reply = self._t.plain(self._t.render("gone"), conversation, [self._t.button("open", "c:form")])
        return reply.model_copy(update={"kept": kept})

    async def _repeated(self, command: str | None, message: Message, conversation: Conversation) -> Reply | None:
        """Without an open form nothing is a form's, but that "提交" is said again after it was handed in."""
        if command == "submit" and (earlier := await self._t.desk.submissions(conversation.id)):
            return await self._closing.said_earlier(message, conversation, earlier[-1])
        return None

    async def _anytime(self, command: str, message: Message, conversation: Conversation) -> Reply | None:
        if command in ("open", "resume"):
            return await self._opening.open(message, conversation)
        if command in ("open_centre", "open_roster"):
            return await self._opening.open(message, conversation, command.removeprefix("open_"))
        if command == "progress":
            return await self._opening.progress(message, conversation)
        if command == "code":
            return await self._opening.issue_code(message, conversation)
        if command == "erase":
            return self._closing.ask_erase(conversation)
        if command == "receipt":
            return await self._closing.receipt(message, conversation)
        if command == "again":
            return await self._opening.again(message, conversation, None)
        return await self._opening.begin(message, conversation, self._opening.form_for(conversation))

    async def _said(self, scene: Scene, text: str, command: str | None) -> Reply | None:
        """Words to an open form."""
        place = scene.place
        steering = await self._steer(scene, command)
        if steering is not None:
            return steering
        if place.mode in ("known", "confirm", "abandon"):
            return await self._decided(scene, text, command)
        if place.mode == "which":
            return await self._answers.which(scene, text)
        if place.mode == "review":
            return await self._reviewed(scene, text, command)
        at = scene.at()
        if at is not None and at.type == "yes_no" and command in ("yes", "no"):
            return await self._answers.said(scene, text)
        if command == "redo":
            last = field_before(scene.form, scene.answers, place.at)
            return self._t.ask(scene, (), last)
        if command in ("small", "yes", "no"):
            return self._t.again(scene, [scene.render("small")] if command == "small" else [])
        if command == "unknown":
            return self._answers.unknown(scene)
        if (named := self._t.words.unknown_field(text)) and not self._t.words.edit(text, scene.form, scene.answers):
            example = at.title if at else next(scene.form.fields()).title
            return self._t.again(scene, [scene.render("which.none", words=named, example=example)])
        return await self._answers.said(scene, text)

    async def _steer(self, scene: Scene, command: str | None) -> Reply | None:
        """Commands that mean the same whatever was asked."""
        answers, closing = self._answers, self._closing
        table: dict[str, Callable[[], Reply]] = {
            "why": lambda: answers.why(scene), "how": lambda: answers.how(scene),
            "back": lambda: answers.back(scene), "keep": lambda: self._on(scene), "stop": lambda: closing.stop(scene),
            "show": lambda: closing.show(scene), "abandon": lambda: closing.ask_abandon(scene),
            "cancel": lambda: closing.ask_abandon(scene),
        }  # fmt: skip
        waiting: dict[str, Callable[[], Awaitable[Reply]]] = {
            "skip": lambda: answers.skip(scene), "submit": lambda: closing.hand_in(scene),
        }  # fmt: skip
        if command == "abandon" and scene.place.mode == "abandon":
            return await closing.abandon(scene)
        if command == "cancel" and scene.place.mode in ("confirm", "known", "which"):
            return self._refuse(scene)
        if command in table:
            return table[command]()
        return await waiting[command]() if command in waiting else None

    def _on(self, scene: Scene) -> Reply:
        """Leave an answer as it is; a question that has none is asked again."""
        at = scene.at()
        open_now = at is not None and scene.answers.get(at.id) is None
        return self._t.again(scene) if open_now else self._t.ask(scene)

    def _refuse(self, scene: Scene) -> Reply:
        """The person says no to what was asked."""
        mode = scene.place.mode
        parts = [] if mode == "abandon" else [scene.render(f"{'known' if mode == 'known' else 'confirm'}.refused")]
        return self._t.again(scene, parts)

    async def _decided(self, scene: Scene, text: str, command: str | None) -> Reply | None:
        """Yes or no to known values, to what was read in a message, to giving up."""
        mode = scene.place.mode
        if command == "yes":
            return await self._agreed(scene)
        if command in ("no", "redo"):
            return self._refuse(scene)
        if mode == "abandon":
            return self._t.again(scene) if command else await self._answers.said(scene, text)
        if command is not None:
            return scene.reply([scene.render("confirm.again"), self._repeat(scene).text], self._repeat(scene).choices)
        if mode == "confirm" and (reply := self._answers.correct(scene, text)):
            return reply
        if scene.at() is None:
            scene.move("ask")
            reply = self._t.ask(scene)
            return await self._answers.said(scene, text) if scene.at() else reply
        return await self._answers.said(scene, text)

    async def _agreed(self, scene: Scene) -> Reply:
        if scene.place.mode == "abandon":
            return await self._closing.abandon(scene)
        found = {k: v for k, v in scene.place.found.items() if any(f.id == k for f in scene.form.fields())}
        return await self._answers.accept(scene, found) if found else self._t.again(scene)

    async def _reviewed(self, scene: Scene, text: str, command: str | None) -> Reply | None:
        """Words under the review."""
        if command == "yes":
            return await self._closing.hand_in(scene)
        edit = self._t.words.edit(text, scene.form, scene.answers)
        if edit is not None and (reply := await self._answers.edit(scene, edit)):
            return reply
        if command is None and self._answers._asks(text):
            return None
        example = next(scene.form.fields()).title
        return scene.reply([scene.render("review.hint", example=example)], self._repeat(scene).choices)

    async def _pressed(self, choice: str, message: Message, conversation: Conversation) -> Reply | None:
        kind, _, rest = choice.partition(":")
        if kind == "c" and rest in _OPENED:
            return await self._opening.open(message, conversation, _OPENED[rest])
        if choice == "c:progress":
            return await self._opening.progress(message, conversation)
        if kind != "f":
            return None
        verb, _, rest = rest.partition(":")
        reply = await self._outside(verb, rest, message, conversation)
        if reply is not None:
            return reply
        scene = await self._scene(message, conversation)
        if scene is None or scene.place.mode == "consent":
            if conversation.form is not None and conversation.form.mode == "consent":
                return await self._opening.consent(message, conversation, "again")
            if conversation.form is not None:
                return await self._gone(message, conversation, "submit" if verb == "confirm" else None)
            if verb == "confirm" and (again := await self._repeated("submit", message, conversation)):
                return again
            return self._t.plain(self._t.render("none_open"), conversation, [self._t.button("open", "c:form")])
        return await self._inside(verb, rest, scene)

    async def _outside(self, verb: str, rest: str, message: Message, conversation: Conversation) -> Reply | None:
        """Buttons that need no open form."""
        consenting = conversation.form is not None and conversation.form.mode == "consent"
        if verb in ("agree", "disagree"):
            if consenting:
                return await self._opening.consent(message, conversation, "yes" if verb == "agree" else "no")
            return await self._opening.open(message, conversation)
        if verb == "erase":
            if rest == "yes" and (conversation.pending or {}).get("kind") == "erase":
                return await self._closing.erase(message, conversation)
            if rest == "no":
                return self._back_in(await self._scene(message, conversation), self._closing.keep_all(conversation))
            return self._closing.ask_erase(conversation)
        if verb == "code":
            return await self._opening.issue_code(message, conversation)
        if verb == "resume":
            return await self._opening.open(message, conversation, rest or None)
        if verb == "again":
            return await self._opening.again(message, conversation, rest or None)
        if verb == "new" and self._t.forms.get(rest):
            return await self._opening.begin(message, conversation, rest)
        return None

    async def _inside(self, verb: str, rest: str, scene: Scene) -> Reply:
        """Buttons of an open form."""
        answers, closing, place = self._answers, self._closing, scene.place
        if verb == "v":
            return await answers.pressed(scene, *rest.partition(":")[::2])
        if verb == "yes" and rest == str(place.seen) and place.mode in ("known", "confirm"):
            return await self._agreed(scene)
        if verb == "no" and place.mode in ("known", "confirm", "abandon"):
            return self._refuse(scene)
        if verb == "drop" and place.mode == "abandon":
            return await closing.abandon(scene)
        if verb == "edit":
            return await answers.chosen(scene, rest)
        if verb == "use":
            return await answers.use(scene, rest)
        if verb == "skip":
            return await answers.skip(scene, rest)
        if verb == "back":
            return answers.back(scene, rest)
        if verb == "why":
            return answers.why(scene, rest)
        if verb == "keep":
            return self._on(scene)
        if verb == "confirm":
            return await closing.hand_in(scene, rest)
        steering = await self._steer(scene, verb)
        return steering if steering is not None else self._repeat(scene)
