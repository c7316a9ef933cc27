"""Staff, their sessions, and the audit log that nobody edits."""

from __future__ import annotations

from typing import Any

from sqlalchemy import DDL, ForeignKey, Index, Integer, event
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.tables.base import Base, Id, Json, Label, Moment, Sealed, Word


class StaffRow(Base):
    """A member of staff; `password` is an argon2 hash, made and checked by the helpdesk."""

    __tablename__ = "staff"

    login: Mapped[Word] = mapped_column(primary_key=True)
    name: Mapped[Label]
    role: Mapped[Word]
    password: Mapped[Label]
    must_change: Mapped[bool]
    totp: Mapped[Sealed | None]
    disabled: Mapped[bool]
    failed: Mapped[int] = mapped_column(Integer)
    locked_until: Mapped[Moment | None]
    last_login_at: Mapped[Moment | None]
    created_at: Mapped[Moment]


class StaffSession(Base):
    """A session of the console; only the keyed hash of its token is kept."""

    __tablename__ = "staff_sessions"

    token_hash: Mapped[Id] = mapped_column(primary_key=True)
    login: Mapped[Word] = mapped_column(ForeignKey("staff.login", ondelete="CASCADE"), index=True)
    csrf: Mapped[Id]
    created_at: Mapped[Moment]
    seen_at: Mapped[Moment]
    expires_at: Mapped[Moment] = mapped_column(index=True)


class AuditEntry(Base):
    """Who did what, when, on which record. Triggers refuse to change or delete a row."""

    __tablename__ = "audit_log"
    __table_args__ = (Index("ix_audit_log_record", "record_kind", "record_id"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    at: Mapped[Moment] = mapped_column(index=True)
    who: Mapped[Word]
    action: Mapped[Word]
    record_kind: Mapped[Word]
    record_id: Mapped[Id]
    detail: Mapped[Json | None]


APPEND_ONLY = {
    "sqlite": (
        (
            "CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log "
            "BEGIN SELECT RAISE(ABORT, 'audit_log is append only'); END"
        ),
        (
            "CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log "
            "BEGIN SELECT RAISE(ABORT, 'audit_log is append only'); END"
        ),
    ),
    "postgresql": (
        (
            "CREATE FUNCTION audit_log_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'audit_log is append only'; END $$"
        ),
        (
            "CREATE TRIGGER audit_log_no_change BEFORE UPDATE OR DELETE ON audit_log "
            "FOR EACH ROW EXECUTE FUNCTION audit_log_append_only()"
        ),
    ),
}
"""The statements that make the log append only, by dialect; migrations run the same."""


def _ddl(statement: str, dialect: str) -> Any:
    make: Any = DDL  # its constructor has no types
    return make(statement).execute_if(dialect=dialect)


for _dialect, _statements in APPEND_ONLY.items():
    for _statement in _statements:
        event.listen(AuditEntry.__table__, "after_create", _ddl(_statement, _dialect))
