"""What an update says: who, where, and one of text, edit, press, medium, arrival, departure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from telegram import CallbackQuery, Chat, ChatMemberUpdated, InlineKeyboardMarkup, Message, Update, User
from telegram.constants import ChatMemberStatus, ChatType

from bot.channels.telegram.rendering import Button, Keyboard

ALLOWED = ["message", "edited_message", "callback_query", "my_chat_member"]
"""The kinds of update that we ask Telegram for."""

Kind = Literal["text", "edit", "press", "medium", "arrival", "gone", "back"]
_COMMAND = re.compile(r"^/(\w{1,32})(?:@(\w+))?(?:\s+(.*))?$", re.S)
_MEDIA = (
    "photo",
    "voice",
    "sticker",
    "document",
    "video",
    "audio",
    "animation",
    "video_note",
    "location",
    "contact",
    "poll",
    "dice",
    "venue",
    "story",
)


@dataclass(frozen=True)
class Incoming:
    """One update, read.

    Args:
        order: Updates are handled in this order within a chat.
        person: Whom the thread belongs to: the chat, in a group the chat and the user.
        external_id: The message's own id within the thread, e.g. "m12", "m12:1700000000" (edited), "q77".
        text: What was typed, without the mention of the bot; a command without "@bot".
        medium: The kind of a photo, voice message, …; `text` is then its caption.
        data, shown: Of a pressed button: its callback data, and the keyboard it stood in.
    """

    order: int
    kind: Kind
    chat: int
    person: str
    private: bool
    external_id: str
    message_id: int | None = None
    text: str = ""
    medium: str | None = None
    data: str = ""
    query: str | None = None
    shown: Keyboard = ()

    @property
    def command(self) -> tuple[str, str] | None:
        """The command and what follows it, if the text is one."""
        found = _COMMAND.match(self.text)
        return (found[1].lower(), (found[3] or "").strip()) if found else None


def read(update: Update, me: User) -> Incoming | None:
    """What an update says; None where it is none of our business (a channel, a group's talk, another bot)."""
    if update.callback_query is not None:
        return _press(update, update.callback_query)
    if update.my_chat_member is not None:
        return _member(update, update.my_chat_member)
    message = update.message or update.edited_message
    if message is None or message.from_user is None or message.from_user.is_bot:
        return None
    if message.chat.type == ChatType.CHANNEL:
        return None
    private = message.chat.type == ChatType.PRIVATE
    text = (message.text or message.caption or "").strip()
    command = _COMMAND.match(text)
    if command and command[2] and command[2].lower() != (me.username or "").lower():
        return None
    if not private and not _addressed(message, me, bool(command and command[2])):
        return None
    medium = next((name for name in _MEDIA if getattr(message, name, None)), None)
    if not text and medium is None:
        return None  # a service message: somebody joined, a title changed
    edited = update.edited_message is not None
    stamp = f":{int(message.edit_date.timestamp())}" if edited and message.edit_date else ""
    return Incoming(
        order=update.update_id,
        kind="edit" if edited else "medium" if medium else "text",
        chat=message.chat.id,
        person=_person(message.chat, message.from_user),
        private=private,
        external_id=f"m{message.message_id}{stamp}",
        message_id=message.message_id,
        text=_without_mention(text, me, bool(command)),
        medium=medium,
    )


def _person(chat: Chat, user: User) -> str:
    return str(chat.id) if chat.type == ChatType.PRIVATE else f"{chat.id}:{user.id}"


def _addressed(message: Message, me: User, commanded: bool) -> bool:
    """In a group: mentioned, replied to, or commanded by name."""
    if commanded:
        return True
    replied = message.reply_to_message
    if replied is not None and replied.from_user is not None and replied.from_user.id == me.id:
        return True
    entities = [*message.entities, *message.caption_entities]
    if any(e.user is not None and e.user.id == me.id for e in entities):
        return True
    text, name = message.text or message.caption or "", me.username
    return name is not None and re.search(rf"@{re.escape(name)}\b", text, re.I) is not None


def _without_mention(text: str, me: User, command: bool) -> str:
    if not me.username:
        return text
    name = re.escape(me.username)
    if command:
        return re.sub(rf"^(/\w+)@{name}\b", r"\1", text, flags=re.I)
    return re.sub(rf"\s*@{name}\b[\s,，:：]*", " ", text, flags=re.I).strip()


def _press(update: Update, query: CallbackQuery) -> Incoming | None:
    message = query.message
    if message is None or query.data is None:
        return None
    markup = message.reply_markup if isinstance(message, Message) else None
    return Incoming(
        order=update.update_id,
        kind="press",
        chat=message.chat.id,
        person=_person(message.chat, query.from_user),
        private=message.chat.type == ChatType.PRIVATE,
        external_id=f"q{query.id}",
        message_id=message.message_id,
        data=query.data,
        query=query.id,
        shown=_shown(markup),
    )


def _shown(markup: InlineKeyboardMarkup | None) -> Keyboard:
    if markup is None:
        return ()
    return tuple(
        tuple(Button(b.text, b.callback_data if isinstance(b.callback_data, str) else None, b.url) for b in row)
        for row in markup.inline_keyboard
    )


def _member(update: Update, change: ChatMemberUpdated) -> Incoming | None:
    away = (ChatMemberStatus.LEFT, ChatMemberStatus.BANNED)
    was, now = change.old_chat_member.status in away, change.new_chat_member.status in away
    if was == now or change.chat.type == ChatType.CHANNEL:
        return None
    private = change.chat.type == ChatType.PRIVATE
    kind: Kind = "gone" if now else "back" if private else "arrival"
    return Incoming(
        update.update_id, kind, change.chat.id, _person(change.chat, change.from_user), private, f"c{update.update_id}"
    )
