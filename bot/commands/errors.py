"""Which errors an operator can mend, and how they are said."""

from __future__ import annotations

from bot.settings import SettingsError
from bot.store.errors import StoreError
from bot.texts import TextError, texts
from knowledge.documents import LibraryError
from knowledge.encoder import EncoderError
from knowledge.pack import PackError
from knowledge.readers import ReaderError


class CommandError(Exception):
    """A command used wrongly; the message says what is wrong and gives an example of what is right."""


EXPECTED = (
    CommandError,
    SettingsError,
    StoreError,
    EncoderError,
    PackError,
    LibraryError,
    ReaderError,
    TextError,
    OSError,
)


def said(error: BaseException) -> str:
    """One sentence for the terminal."""
    if isinstance(error, StoreError):
        return str(texts().get(f"store.{error.key}.operator")).format(**error.details)
    if isinstance(error, LibraryError):
        return texts().render(f"documents.errors.{error.key}", **error.params)
    if isinstance(error, ReaderError):
        return texts().render(f"readers.errors.{error.key}", **error.params)
    if isinstance(error, OSError):
        return texts().render("cli.os_error", file=error.filename or "", problem=error.strerror or str(error))
    return str(error)
