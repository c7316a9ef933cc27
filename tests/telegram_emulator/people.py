"""Who talks to the bot: a person in a private chat, and a group."""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.telegram_emulator.server import Emulator


class Chat:
    """A chat and what was said in it."""

    def __init__(self, emulator: Emulator, chat_id: int, kind: str) -> None:
        self.emulator = emulator
        self.id = chat_id
        self.kind = kind
        self.known = False
        self.refuses: tuple[int, str] | None = None
        self.messages: list[dict[str, Any]] = []
        self.actions: list[str] = []
        self._read = 0
        self._ids = 0

    @property
    def data(self) -> dict[str, Any]:
        """The chat as the API shows it."""
        if self.kind == "private":
            return {"id": self.id, "type": "private", "first_name": f"甲{self.id}"}
        return {"id": self.id, "type": self.kind, "title": "测试群"}

    def add(self, author: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """Put a message into the chat."""
        self._ids += 1
        message = {"message_id": self._ids, "from": author, "chat": self.data, "date": int(time.time()), **fields}
        self.messages.append(message)
        return message

    def message(self, message_id: int) -> dict[str, Any] | None:
        """A message by its id."""
        return next((m for m in self.messages if m["message_id"] == message_id), None)

    @property
    def from_bot(self) -> list[dict[str, Any]]:
        """What the bot said here."""
        return [m for m in self.messages if m["from"]["is_bot"]]

    async def next(self, timeout: float = 10.0) -> dict[str, Any]:
        """The bot's next message that was not read yet."""
        async with asyncio.timeout(timeout):
            while len(self.from_bot) <= self._read:
                await self.emulator.changed()
        self._read += 1
        return self.from_bot[self._read - 1]

    async def quiet(self, seconds: float = 0.3) -> bool:
        """Whether the bot says nothing more for a while."""
        await asyncio.sleep(seconds)
        return len(self.from_bot) == self._read

    def says(self, text: str, author: dict[str, Any] | None = None, **fields: Any) -> int:
        """Somebody types something; the update's id."""
        self.known = True
        author = author or self.user()
        if text.startswith("/"):
            size = len(text.split()[0])
            fields.setdefault("entities", [{"type": "bot_command", "offset": 0, "length": size}])
        return self.emulator.update(message=self.add(author, text=text, **fields))

    def user(self, user_id: int | None = None) -> dict[str, Any]:
        """A person as the API shows them."""
        return {"id": user_id or self.id, "is_bot": False, "first_name": f"甲{user_id or self.id}"}

    def edits(self, message_id: int, text: str) -> int:
        """Somebody changes a message."""
        message = self.message(message_id)
        assert message is not None
        message.update(text=text, edit_date=int(time.time()))
        return self.emulator.update(edited_message=dict(message))

    def presses(self, message: dict[str, Any], label: str, user_id: int | None = None) -> int:
        """Somebody presses a button of a message, as it is now or as it was when they saw it."""
        for row in message["reply_markup"]["inline_keyboard"]:
            for button in row:
                if button["text"] == label:
                    return self.emulator.press(self, message, button["callback_data"], self.user(user_id))
        raise AssertionError(f"no button {label!r} in {message['reply_markup']}")

    def sends(self, kind: str, value: Any, caption: str | None = None, author: dict[str, Any] | None = None) -> int:
        """Somebody sends a photo, a voice message, …"""
        self.known = True
        extra = {"caption": caption} if caption else {}
        return self.emulator.update(message=self.add(author or self.user(), **{kind: value}, **extra))

    def sends_document(self, name: str, content: bytes) -> int:
        """Somebody sends a file, which getFile then finds."""
        file = self.emulator.keep_file(content)
        return self.sends(
            "document", {"file_id": file, "file_unique_id": file, "file_name": name, "file_size": len(content)}
        )

    def member(self, before: str, after: str, user_id: int | None = None) -> int:
        """The bot's own place in the chat changes: "member", "left", "kicked"."""
        me = self.emulator.me

        def place(status: str) -> dict[str, Any]:
            until = {"until_date": 0} if status == "kicked" else {}
            return {"user": me, "status": status, **until}

        change = {"chat": self.data, "from": self.user(user_id), "date": int(time.time())}
        return self.emulator.update(
            my_chat_member={**change, "old_chat_member": place(before), "new_chat_member": place(after)}
        )

    def labels(self, message: dict[str, Any]) -> list[str]:
        """The labels of a message's buttons, as they are now."""
        current = self.message(message["message_id"]) or message
        return [b["text"] for row in current.get("reply_markup", {}).get("inline_keyboard", []) for b in row]


class Person(Chat):
    """A person in their private chat with the bot."""

    def __init__(self, emulator: Emulator, chat_id: int) -> None:
        super().__init__(emulator, chat_id, "private")

    def starts(self, payload: str = "") -> int:
        """They press "Start", perhaps behind a deep link."""
        if payload and not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", payload):
            raise AssertionError(f"a link cannot carry {payload!r}")
        return self.says(f"/start {payload}".strip())

    def blocks(self) -> None:
        """They block the bot."""
        self.refuses = (403, "Forbidden: bot was blocked by the user")


class Group(Chat):
    """A group that the bot is in."""

    def __init__(self, emulator: Emulator, chat_id: int) -> None:
        super().__init__(emulator, chat_id, "supergroup")
        self.known = True
