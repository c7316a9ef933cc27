"""Drafts and submissions; answers are encrypted as a whole."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import RowMapping, Select, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.forms.drafts import ABANDONED, NEEDS_CORRECTION, OPEN, SUBMITTED, Draft, Submission
from bot.store.codec import dump
from bot.store.database import Database
from bot.store.errors import Missing, StaleDraft
from bot.store.numbers import new_number, normal_number
from bot.store.tables import ConsentRow, DraftRow, SubmissionRow
from bot.store.threads import thread_of

__all__ = ["ABANDONED", "NEEDS_CORRECTION", "OPEN", "SUBMITTED", "Draft", "Forms", "Submission"]


class Forms:
    """Drafts, submissions and the consent to keep them."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def new_draft(self, conversation_id: str, form: str, form_version: str, now: datetime | None = None) -> Draft:
        """An empty draft, not written yet."""
        at = self._db.at(now)
        return Draft(uuid4().hex, conversation_id, form, form_version, {}, at, at)

    async def draft(self, conversation_id: str, form: str | None = None, *, state: str = OPEN) -> Draft | None:
        """The latest draft of the conversation's thread, whichever channel it was begun on."""
        statement = select(DraftRow).where(DraftRow.thread_id == thread_of(conversation_id), DraftRow.state == state)
        if form is not None:
            statement = statement.where(DraftRow.form == form)
        row = await self._db.row(statement.order_by(DraftRow.updated_at.desc()).limit(1))
        return self._draft(row, open_answers=True) if row is not None else None

    async def save_draft(self, draft: Draft, now: datetime | None = None, *, durable: bool = True) -> Draft:
        """Write a draft; as it is now, with its new version.

        Args:
            durable: See `Database.write`. A later durable write of the same database covers this one too.

        Raises:
            StaleDraft: It was changed elsewhere since it was read (two devices); nothing was written.
        """
        at = self._db.at(now)
        values: dict[str, Any] = {
            "answers": self._db.vault.encrypt(dump(draft.answers)),
            "state": draft.state,
            "done": draft.done,
            "total": draft.total,
            "department": draft.department,
            "unit_type": draft.unit_type,
            "batch": draft.batch,
            "form_version": draft.form_version,
            "updated_at": at,
            "version": draft.version + 1,
        }
        async with self._db.write(durable=durable) as connection:
            if draft.version > 0:
                done = await connection.execute(
                    update(DraftRow).where(DraftRow.id == draft.id, DraftRow.version == draft.version).values(values)
                )
            else:
                done = await connection.execute(
                    self._db.insert_new(DraftRow, ["id"]).values(
                        id=draft.id,
                        thread_id=thread_of(draft.conversation_id),
                        conversation_id=draft.conversation_id,
                        form=draft.form,
                        receipt=draft.receipt,
                        created_at=draft.created_at,
                        **values,
                    )
                )
            if done.rowcount != 1:
                raise StaleDraft
        return replace(draft, version=draft.version + 1, updated_at=at)

    async def submit(self, draft: Draft, *, centre: str | None = None, now: datetime | None = None) -> Submission:
        """Hand a draft in as it stands; handing the same version in twice gives the same submission.

        Raises:
            StaleDraft: It was changed elsewhere since it was read.
        """
        at = self._db.at(now)
        async with self._db.write() as connection:
            earlier = await self._by(
                connection,
                SubmissionRow.draft_id == draft.id,
                SubmissionRow.draft_version == draft.version,
            )
            if earlier is not None:
                return earlier
            row = (
                await connection.execute(
                    update(DraftRow)
                    .where(DraftRow.id == draft.id, DraftRow.version == draft.version)
                    .values(
                        state=SUBMITTED,
                        receipt=func.coalesce(DraftRow.receipt, new_number("receipt")),
                        updated_at=at,
                        version=DraftRow.version + 1,
                    )
                    .returning(DraftRow.receipt, DraftRow.thread_id)
                )
            ).first()
            if row is None:
                raise StaleDraft
            last = select(func.max(SubmissionRow.revision)).where(SubmissionRow.receipt == row.receipt)
            revision = ((await connection.execute(last)).scalar() or 0) + 1
            await connection.execute(
                update(SubmissionRow).where(SubmissionRow.receipt == row.receipt).values(latest=False)
            )
            submission = uuid4().hex
            await connection.execute(
                insert(SubmissionRow).values(
                    id=submission,
                    receipt=row.receipt,
                    revision=revision,
                    draft_id=draft.id,
                    draft_version=draft.version,
                    thread_id=row.thread_id,
                    conversation_id=draft.conversation_id,
                    form=draft.form,
                    form_version=draft.form_version,
                    answers=self._db.vault.encrypt(dump(draft.answers)),
                    centre=centre,
                    department=draft.department,
                    unit_type=draft.unit_type,
                    batch=draft.batch,
                    state=SUBMITTED,
                    latest=True,
                    submitted_at=at,
                )
            )
            kept = await self._by(connection, SubmissionRow.id == submission)
            assert kept is not None
            return kept

    async def submission(self, receipt: str, revision: int | None = None) -> Submission:
        """A submission with its answers; the latest revision unless told otherwise.

        Args:
            receipt: As a person may have typed it.

        Raises:
            Missing: There is none.
        """
        statement = select(SubmissionRow).where(SubmissionRow.receipt == normal_number(receipt, "receipt"))
        if revision is not None:
            statement = statement.where(SubmissionRow.revision == revision)
        row = await self._db.row(statement.order_by(SubmissionRow.revision.desc()).limit(1))
        if row is None:
            raise Missing(receipt="unknown")
        return self._submission(row, open_answers=True)

    async def submissions(
        self,
        *,
        ids: Sequence[str] | None = None,
        form: str | None = None,
        department: str | None = None,
        unit_type: str | None = None,
        batch: str | None = None,
        state: str | None = None,
        conversation_id: str | None = None,
        latest: bool = True,
        open_answers: bool = False,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[Submission]:
        """Submissions by department and time; with `open_answers`, decrypted (the caller logs that)."""
        statement: Select[Any] = select(SubmissionRow)
        if ids is not None:
            statement = statement.where(SubmissionRow.id.in_(ids))
        if latest and ids is None:
            statement = statement.where(SubmissionRow.latest.is_(True))
        if conversation_id is not None:
            statement = statement.where(SubmissionRow.thread_id == thread_of(conversation_id))
        for column, value in (
            (SubmissionRow.form, form),
            (SubmissionRow.department, department),
            (SubmissionRow.unit_type, unit_type),
            (SubmissionRow.batch, batch),
            (SubmissionRow.state, state),
        ):
            if value is not None:
                statement = statement.where(column == value)
        statement = statement.order_by(SubmissionRow.department, SubmissionRow.submitted_at, SubmissionRow.id)
        rows = await self._db.rows(statement.limit(limit).offset(offset))
        return [self._submission(row, open_answers=open_answers) for row in rows]

    async def drafts(
        self, *, form: str | None = None, state: str = OPEN, limit: int = 200, offset: int = 0
    ) -> list[Draft]:
        """Drafts for the console's list, without their contents."""
        statement = select(DraftRow).where(DraftRow.state == state)
        if form is not None:
            statement = statement.where(DraftRow.form == form)
        statement = statement.order_by(DraftRow.updated_at.desc()).limit(limit).offset(offset)
        return [self._draft(row, open_answers=False) for row in await self._db.rows(statement)]

    async def mark_exported(self, ids: Sequence[str], now: datetime | None = None) -> int:
        """Record that submissions were handed out; how many were so for the first time."""
        statement = update(SubmissionRow).where(SubmissionRow.id.in_(ids), SubmissionRow.exported_at.is_(None))
        return await self._db.run(statement.values(exported_at=self._db.at(now)))

    async def needs_correction(self, submission_id: str, note: str, field: str | None = None) -> None:
        """Send a submission back: its draft is open again, with a note and the field marked.

        Raises:
            Missing: There is none of that id.
        """
        async with self._db.write() as connection:
            draft_id = (
                await connection.execute(
                    update(SubmissionRow)
                    .where(SubmissionRow.id == submission_id)
                    .values(state=NEEDS_CORRECTION, note=self._db.vault.encrypt(note), note_field=field)
                    .returning(SubmissionRow.draft_id)
                )
            ).scalar()
            if draft_id is None:
                raise Missing(submission=submission_id)
            await connection.execute(
                update(DraftRow)
                .where(DraftRow.id == draft_id, DraftRow.state == SUBMITTED)
                .values(state=OPEN, version=DraftRow.version + 1)
            )

    async def consent(self, conversation_id: str, purpose: str, text_version: str, now: datetime | None = None) -> None:
        """Record a person's consent; giving it again changes nothing, unless it was withdrawn."""
        at = self._db.at(now)
        statement = self._db.upsert(ConsentRow).values(
            id=uuid4().hex,
            thread_id=thread_of(conversation_id),
            conversation_id=conversation_id,
            purpose=purpose,
            text_version=text_version,
            given_at=at,
        )
        statement = statement.on_conflict_do_update(
            index_elements=["thread_id", "purpose", "text_version"],
            set_={"given_at": at, "withdrawn_at": None},
            where=ConsentRow.withdrawn_at.is_not(None),
        )
        await self._db.run(statement)

    async def withdraw_consent(self, conversation_id: str, purpose: str, now: datetime | None = None) -> None:
        """Record that a person takes their consent back."""
        await self._db.run(
            update(ConsentRow)
            .where(
                ConsentRow.thread_id == thread_of(conversation_id),
                ConsentRow.purpose == purpose,
                ConsentRow.withdrawn_at.is_(None),
            )
            .values(withdrawn_at=self._db.at(now))
        )

    async def consented(self, conversation_id: str, purpose: str, text_version: str) -> bool:
        """Whether the person consents to the purpose, in this version of its text."""
        statement = select(ConsentRow.id).where(
            ConsentRow.thread_id == thread_of(conversation_id),
            ConsentRow.purpose == purpose,
            ConsentRow.text_version == text_version,
            ConsentRow.withdrawn_at.is_(None),
        )
        return await self._db.row(statement) is not None

    async def _by(self, connection: AsyncConnection, *conditions: Any) -> Submission | None:
        row = (await connection.execute(select(SubmissionRow.__table__).where(*conditions))).mappings().first()
        return self._submission(row, open_answers=True) if row is not None else None

    def _draft(self, row: RowMapping, *, open_answers: bool) -> Draft:
        names = [n for n in Draft.__dataclass_fields__ if n != "answers"]
        answers = json.loads(self._db.vault.decrypt(row["answers"])) if open_answers else {}
        return Draft(answers=answers, **{name: row[name] for name in names})

    def _submission(self, row: RowMapping, *, open_answers: bool) -> Submission:
        names = [n for n in Submission.__dataclass_fields__ if n not in ("answers", "note")]
        answers = json.loads(self._db.vault.decrypt(row["answers"])) if open_answers else None
        note = self._db.vault.decrypt(row["note"]) if row["note"] else None
        return Submission(answers=answers, note=note, **{name: row[name] for name in names})
