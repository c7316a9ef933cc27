"""Staff accounts, console sessions, and the audit log."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, case, delete, insert, literal, or_, select, update

from bot.store.database import Database
from bot.store.errors import Missing, Refused
from bot.store.tables import AuditEntry, StaffRow, StaffSession
from bot.store.tables.base import UtcDateTime

ROLES = ("agent", "editor", "administrator")


@dataclass(frozen=True)
class Staff:
    """A member of staff; `password` is the argon2 hash, `totp` the decrypted secret."""

    login: str
    name: str
    role: str
    password: str
    must_change: bool
    totp: str | None
    disabled: bool
    failed: int
    locked_until: datetime | None
    last_login_at: datetime | None
    created_at: datetime

    def __repr__(self) -> str:
        return f"Staff(login={self.login!r}, role={self.role!r})"


@dataclass(frozen=True)
class Session:
    """An open session of the console."""

    staff: Staff
    csrf: str
    expires_at: datetime


@dataclass(frozen=True)
class Audit:
    """One entry of the audit log."""

    id: int
    at: datetime
    who: str
    action: str
    record_kind: str
    record_id: str
    detail: Any


class StaffAccounts:
    """Who may use the console. Passwords come hashed and are compared by the helpdesk."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def add(
        self,
        login: str,
        name: str,
        role: str,
        password_hash: str,
        *,
        must_change: bool = True,
        now: datetime | None = None,
    ) -> None:
        """Make an account.

        Raises:
            Refused: "login_taken" or "unknown_role".
        """
        if role not in ROLES:
            raise Refused("unknown_role", role=role)
        done = await self._db.run(
            self._db.insert_new(StaffRow, ["login"]).values(
                login=login,
                name=name,
                role=role,
                password=password_hash,
                must_change=must_change,
                disabled=False,
                failed=0,
                created_at=self._db.at(now),
            )
        )
        if done != 1:
            raise Refused("login_taken", login=login)

    async def get(self, login: str) -> Staff | None:
        """The account, if there is one."""
        row = await self._db.row(select(StaffRow).where(StaffRow.login == login))
        return self._staff(row) if row is not None else None

    async def all(self) -> list[Staff]:
        """All accounts by login."""
        return [self._staff(row) for row in await self._db.rows(select(StaffRow).order_by(StaffRow.login))]

    async def change(
        self,
        login: str,
        *,
        name: str | None = None,
        role: str | None = None,
        password_hash: str | None = None,
        must_change: bool | None = None,
        disabled: bool | None = None,
    ) -> None:
        """Change an account. A new password or role, or disabling it, ends its sessions.

        Raises:
            Missing: There is no such account.
            Refused: "unknown_role"; "last_administrator" where nobody else could administrate.
        """
        if role is not None and role not in ROLES:
            raise Refused("unknown_role", role=role)
        given = {
            "name": name,
            "role": role,
            "password": password_hash,
            "must_change": must_change,
            "disabled": disabled,
        }
        values: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
        if password_hash is not None:
            values |= {"failed": 0, "locked_until": None}
        async with self._db.write() as connection:
            if disabled or role in ("agent", "editor"):
                others = select(StaffRow.login).where(StaffRow.role == "administrator", StaffRow.disabled.is_(False))
                if not self._db.sqlite:
                    others = others.with_for_update()
                administrators = set((await connection.execute(others)).scalars())
                if administrators == {login}:
                    raise Refused("last_administrator")
            done = await connection.execute(update(StaffRow).where(StaffRow.login == login).values(values))
            if done.rowcount == 0:
                raise Missing(login=login)
            if password_hash is not None or disabled or role is not None:
                await connection.execute(delete(StaffSession).where(StaffSession.login == login))

    async def set_totp(self, login: str, secret: str | None) -> None:
        """Turn the second factor on (kept encrypted) or off."""
        sealed = self._db.vault.encrypt(secret) if secret else None
        await self._db.run(update(StaffRow).where(StaffRow.login == login).values(totp=sealed))

    async def login_failed(
        self,
        login: str,
        *,
        limit: int = 5,
        lock: timedelta = timedelta(minutes=15),
        now: datetime | None = None,
    ) -> None:
        """Count a failed login; every `limit` in a row lock the account for `lock`."""
        over = (StaffRow.failed + 1) % limit == 0
        until = literal(self._db.at(now) + lock, UtcDateTime)  # untyped, its zone would be dropped
        await self._db.run(
            update(StaffRow)
            .where(StaffRow.login == login)
            .values(
                failed=StaffRow.failed + 1,
                locked_until=case((over, until), else_=StaffRow.locked_until),
            )
        )

    async def open_session(
        self, login: str, *, lasts: timedelta = timedelta(hours=10), now: datetime | None = None
    ) -> tuple[str, Session]:
        """Open a session after a good login; its token (kept nowhere) and the session.

        Raises:
            Refused: "account_closed": disabled, locked or unknown.
        """
        at = self._db.at(now)
        token, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(24)
        async with self._db.write() as connection:
            done = await connection.execute(
                update(StaffRow)
                .where(
                    StaffRow.login == login,
                    StaffRow.disabled.is_(False),
                    or_(StaffRow.locked_until.is_(None), StaffRow.locked_until <= at),
                )
                .values(failed=0, locked_until=None, last_login_at=at)
            )
            if done.rowcount != 1:
                raise Refused("account_closed")
            await connection.execute(
                insert(StaffSession).values(
                    token_hash=self._hash(token),
                    login=login,
                    csrf=csrf,
                    created_at=at,
                    seen_at=at,
                    expires_at=at + lasts,
                )
            )
            await connection.execute(delete(StaffSession).where(StaffSession.expires_at <= at))
        session = await self.session(token, now=at)
        assert session is not None
        return token, session

    async def session(
        self, token: str, *, idle: timedelta = timedelta(hours=1), now: datetime | None = None
    ) -> Session | None:
        """The session of a token; None: unknown, ended, idle for too long, or the account is disabled."""
        at = self._db.at(now)
        statement = (
            select(StaffRow, StaffSession.csrf, StaffSession.expires_at, StaffSession.seen_at)
            .join(StaffSession, StaffSession.login == StaffRow.login)
            .where(
                StaffSession.token_hash == self._hash(token),
                StaffSession.expires_at > at,
                StaffSession.seen_at > at - idle,
                StaffRow.disabled.is_(False),
            )
        )
        row = await self._db.row(statement)
        if row is None:
            return None
        if at - row["seen_at"] > idle / 10:  # not a write for every click
            await self._db.run(
                update(StaffSession).where(StaffSession.token_hash == self._hash(token)).values(seen_at=at)
            )
        return Session(self._staff(row), row["csrf"], row["expires_at"])

    async def close_session(self, token: str) -> None:
        """End a session."""
        await self._db.run(delete(StaffSession).where(StaffSession.token_hash == self._hash(token)))

    async def record(
        self,
        who: str,
        action: str,
        record_kind: str,
        record_id: str,
        detail: Any = None,
        *,
        now: datetime | None = None,
    ) -> None:
        """Write to the audit log; inside `Store.transaction`, together with what was done.

        Args:
            detail: JSON, without personal data.
        """
        await self._db.run(
            insert(AuditEntry).values(
                at=self._db.at(now),
                who=who,
                action=action,
                record_kind=record_kind,
                record_id=record_id,
                detail=detail,
            )
        )

    async def audit(
        self,
        *,
        who: str | None = None,
        action: str | None = None,
        record: tuple[str, str] | None = None,
        limit: int = 200,
        offset: int = 0,
    ) -> list[Audit]:
        """Entries of the audit log, latest first."""
        statement = select(AuditEntry)
        if who is not None:
            statement = statement.where(AuditEntry.who == who)
        if action is not None:
            statement = statement.where(AuditEntry.action == action)
        if record is not None:
            statement = statement.where(AuditEntry.record_kind == record[0], AuditEntry.record_id == record[1])
        statement = statement.order_by(AuditEntry.id.desc()).limit(limit).offset(offset)
        return [
            Audit(**{name: row[name] for name in Audit.__dataclass_fields__}) for row in await self._db.rows(statement)
        ]

    def _staff(self, row: RowMapping) -> Staff:
        names = [n for n in Staff.__dataclass_fields__ if n != "totp"]
        totp = self._db.vault.decrypt(row["totp"]) if row["totp"] else None
        return Staff(totp=totp, **{name: row[name] for name in names})

    def _hash(self, token: str) -> str:
        return self._db.vault.keyed_hash("session", token)
