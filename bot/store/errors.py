"""What can go wrong in the store, each with the key of its text in `prompts/texts/store.yaml`."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import exc


class StoreError(Exception):
    """Something the store could not do. Nothing of the failed transaction was kept.

    Args:
        key: Key of the text for people in `prompts/texts/store.yaml`.
        details: Values for the text's placeholders, and for the log; never personal data.
    """

    key = "failed"

    def __init__(self, key: str | None = None, **details: object) -> None:
        self.key = key or type(self).key
        self.details = details
        said = ", ".join(f"{name}={value}" for name, value in details.items())
        super().__init__(f"{self.key}: {said}" if said else self.key)


class Unwritable(StoreError):
    """The data folder or the database file cannot be written."""

    key = "unwritable"


class DiskFull(StoreError):
    """No space is left for the database."""

    key = "disk_full"


class Locked(StoreError):
    """Another process held the database for longer than `busy_timeout`; trying again may do."""

    key = "locked"


class Unreachable(StoreError):
    """The database server does not answer, or refuses us."""

    key = "unreachable"


class Corrupt(StoreError):
    """The file is not a database, or is damaged."""

    key = "corrupt"


class Outdated(StoreError):
    """The tables are of another version than this program: "outdated" (older) or "newer"."""

    key = "outdated"


class Missing(StoreError):
    """What was asked for is not there."""

    key = "not_found"


class Refused(StoreError):
    """The step is not open to this record or person now; `key` says why."""

    key = "refused"


class Stale(StoreError):
    """Somebody else changed the record in the meantime; nothing of ours was written."""

    key = "stale"


class StaleConversation(Stale):
    """The conversation was saved elsewhere since it was loaded; load it again and repeat the turn."""

    key = "stale_conversation"


class StaleDraft(Stale):
    """The draft was changed elsewhere (two devices); the later writer is told so."""

    key = "stale_draft"


class StaleTicket(Stale):
    """Another member of staff changed the ticket since it was opened."""

    key = "stale_ticket"


class VaultError(StoreError):
    """The key is missing, malformed or not the one that the data was encrypted with."""

    key = "vault_wrong_key"


_NO_ACCESS = (errno.EACCES, errno.EROFS, errno.EPERM, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENOENT)

_STATES: tuple[tuple[str, type[StoreError]], ...] = (
    ("53100", DiskFull),
    ("55P03", Locked),
    ("40P01", Locked),
    ("40001", Locked),
    ("25006", Unwritable),
    ("42501", Unwritable),
    ("42P01", Outdated),
    ("42703", Outdated),
    ("08", Unreachable),
    ("28", Unreachable),
    ("3D", Unreachable),
    ("53", Unreachable),
    ("57P", Unreachable),
)
"""PostgreSQL's SQLSTATE codes, or the classes that they begin with."""

_SAID: tuple[tuple[str, type[StoreError]], ...] = (
    ("database or disk is full", DiskFull),
    ("no space left", DiskFull),
    ("disk quota", DiskFull),
    ("disk i/o error", DiskFull),
    ("database is locked", Locked),
    ("database table is locked", Locked),
    ("readonly database", Unwritable),
    ("unable to open database file", Unwritable),
    ("file is not a database", Corrupt),
    ("malformed", Corrupt),
    ("no such table", Outdated),
    ("no such column", Outdated),
    ("connection is closed", Unreachable),
    ("connection was closed", Unreachable),
    ("closed in the middle", Unreachable),
)
"""What SQLite and the drivers say, in small letters."""


def translated(error: BaseException) -> StoreError:
    """The `StoreError` that a driver's or the system's error amounts to."""
    if isinstance(error, StoreError):
        return error
    if isinstance(error, OSError):
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return DiskFull(cause=error.strerror)
        if error.errno in _NO_ACCESS:
            return Unwritable(cause=error.strerror)
        return Unreachable(cause=error.strerror or type(error).__name__)
    # Statement and parameters are left out on purpose: they may hold personal data.
    origin: BaseException = error
    if isinstance(error, exc.DBAPIError) and error.orig is not None:
        origin = error.orig
    if isinstance(error, exc.TimeoutError):
        return Locked(cause="no free connection")
    state = getattr(origin, "sqlstate", None) or ""
    for code, kind in _STATES:
        if state.startswith(code):
            return kind(cause=state)
    said = f"{type(origin).__name__}: {origin}".lower()
    for words, kind in _SAID:
        if words in said:
            return kind(cause=type(origin).__name__)
    if isinstance(error, exc.DBAPIError) and error.connection_invalidated:
        return Unreachable(cause=type(origin).__name__)
    return StoreError(cause=type(origin).__name__)


@contextmanager
def translating() -> Iterator[None]:
    """Let no foreign exception out of the store: each becomes a member of the `StoreError` family."""
    try:
        yield
    except (exc.SQLAlchemyError, OSError, TimeoutError) as error:
        raise translated(error) from error
