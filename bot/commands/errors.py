"""Which errors an operator can mend, and how they are said."""

from __future__ import annotations

from bot.settings import SettingsError
from bot.store.errors import StoreError
from bot.texts import TextError, texts
from knowledge.encoder import EncoderError
from knowledge.pack import PackError


class CommandError(Exception):
    """A command used wrongly; the message says what is wrong and gives an example of what is right."""


EXPECTED = (CommandError, SettingsError, StoreError, EncoderError, PackError, TextError, OSError)


def said(error: BaseException) -> str:
    """One sentence for the terminal."""
    if isinstance(error, StoreError):
        return texts().render(f"store.{error.key}.operator", **error.details)
    if isinstance(error, OSError):
        return texts().render("cli.os_error", file=error.filename or "", problem=error.strerror or str(error))
    return str(error)
