"""The desks where forms are kept (`bot.forms.drafts.Desk`): in the database, or, for question sets, in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

from bot.forms.drafts import OPEN, SUBMITTED, ChangedElsewhere, CodeRefused, Draft, Erased, Submission
from bot.store import Refused, StaleDraft, Store, StoreError, new_number

PURPOSE = "form"
_HOUR = timedelta(hours=1)
TRIES, ALL_TRIES = 5, 300
"""Resume codes that may be tried an hour: in one conversation, and by everybody together."""


class StoreDesk:
    """Keeps forms in the database."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def draft(self, conversation_id: str, form: str | None = None, *, state: str = OPEN) -> Draft | None:
        """The draft changed last."""
        return await self._store.forms.draft(conversation_id, form, state=state)

    def new_draft(self, conversation_id: str, form: str, form_version: str, at: datetime) -> Draft:
        """An empty draft, not kept yet."""
        return self._store.forms.new_draft(conversation_id, form, form_version, at)

    async def save(self, draft: Draft, at: datetime) -> Draft:
        """Keep a draft. Raises ChangedElsewhere.

        It outlives a kill at once, and a power cut with the turn, whose durable write follows and covers it:
        nobody has been told of the answer before. That saves one of two fsyncs.
        """
        try:
            return await self._store.forms.save_draft(draft, at, durable=False)
        except StaleDraft as error:
            raise ChangedElsewhere from error

    async def submit(self, draft: Draft, centre: str | None, at: datetime) -> Submission:
        """Hand a draft in. Raises ChangedElsewhere."""
        try:
            return await self._store.forms.submit(draft, centre=centre, now=at)
        except StaleDraft as error:
            raise ChangedElsewhere from error

    async def submissions(self, conversation_id: str, form: str | None = None) -> list[Submission]:
        """What was handed in, newest revisions, the latest last."""
        found = await self._store.forms.submissions(conversation_id=conversation_id, form=form, open_answers=True)
        return sorted(found, key=lambda s: s.submitted_at)

    async def consent(self, conversation_id: str, version: str, at: datetime) -> None:
        """Record consent."""
        await self._store.forms.consent(conversation_id, PURPOSE, version, at)

    async def consented(self, conversation_id: str, version: str) -> bool:
        """Whether the person consents to that version of the text."""
        return await self._store.forms.consented(conversation_id, PURPOSE, version)

    async def issue_code(self, conversation_id: str, at: datetime) -> str:
        """A new resume code."""
        return await self._store.threads.issue(conversation_id, now=at)

    async def redeem_code(self, said: str, conversation_id: str, at: datetime) -> None:
        """Join the code's thread; within the limits. Raises CodeRefused."""
        limits, own = self._store.limits, f"resume:{conversation_id}"
        # The person's own limit first: who is stopped by it does not use up everybody's.
        if not await limits.allow(own, limit=TRIES, window=_HOUR, now=at):
            raise CodeRefused("too_many")
        if not await limits.allow("resume", limit=ALL_TRIES, window=_HOUR, now=at):
            raise CodeRefused("too_many")
        try:
            await self._store.threads.redeem(said, conversation_id, at)
        except Refused as error:
            raise CodeRefused(error.key) from error
        except StoreError as error:
            if error.key != "bad_number":
                raise
            raise CodeRefused("code_unknown") from error
        await limits.forget(own)

    async def erase(self, conversation_id: str, at: datetime) -> Erased:
        """Delete the person's data."""
        return await self._store.privacy.erase(conversation_id, at)


class MemoryDesk:
    """Keeps forms in memory, for question sets and quick tests; nobody can resume them elsewhere."""

    def __init__(self) -> None:
        self._drafts: dict[str, Draft] = {}
        self._submissions: list[Submission] = []
        self._consents: set[tuple[str, str]] = set()

    async def draft(self, conversation_id: str, form: str | None = None, *, state: str = OPEN) -> Draft | None:
        """The draft changed last."""
        mine = [d for d in self._drafts.values()
                if (d.conversation_id, d.state) == (conversation_id, state) and form in (None, d.form)]  # fmt: skip
        return max(mine, key=lambda d: d.updated_at, default=None)

    def new_draft(self, conversation_id: str, form: str, form_version: str, at: datetime) -> Draft:
        """An empty draft, not kept yet."""
        return Draft(uuid4().hex, conversation_id, form, form_version, {}, at, at)

    async def save(self, draft: Draft, at: datetime) -> Draft:
        """Keep a draft. Raises ChangedElsewhere."""
        earlier = self._drafts.get(draft.id)
        if (earlier.version if earlier else 0) != draft.version:
            raise ChangedElsewhere
        kept = replace(draft, answers=dict(draft.answers), version=draft.version + 1, updated_at=at)
        self._drafts[draft.id] = kept
        return kept

    async def submit(self, draft: Draft, centre: str | None, at: datetime) -> Submission:
        """Hand a draft in. Raises ChangedElsewhere."""
        kept = self._drafts.get(draft.id)
        if kept is None or kept.version != draft.version:
            raise ChangedElsewhere
        receipt = kept.receipt or new_number("receipt")
        revision = 1 + sum(1 for s in self._submissions if s.receipt == receipt)
        self._submissions = [replace(s, latest=s.latest and s.receipt != receipt) for s in self._submissions]
        done = Submission(
            uuid4().hex, receipt, revision, draft.conversation_id, draft.form, draft.form_version, centre,
            draft.department, draft.unit_type, draft.batch, SUBMITTED, True, at, None, None, None, dict(draft.answers),
        )  # fmt: skip
        self._submissions.append(done)
        self._drafts[draft.id] = replace(
            kept, state=SUBMITTED, receipt=receipt, version=kept.version + 1, updated_at=at
        )
        return done

    async def submissions(self, conversation_id: str, form: str | None = None) -> list[Submission]:
        """What was handed in, newest revisions, the latest last."""
        return [s for s in self._submissions
                if s.latest and s.conversation_id == conversation_id and form in (None, s.form)]  # fmt: skip

    async def consent(self, conversation_id: str, version: str, at: datetime) -> None:
        """Record consent."""
        self._consents.add((conversation_id, version))

    async def consented(self, conversation_id: str, version: str) -> bool:
        """Whether the person consents to that version of the text."""
        return (conversation_id, version) in self._consents

    async def issue_code(self, conversation_id: str, at: datetime) -> str:
        """A code of the usual form; it opens nothing."""
        return new_number("code")

    async def redeem_code(self, said: str, conversation_id: str, at: datetime) -> None:
        """Nothing is known here. Raises CodeRefused."""
        raise CodeRefused("code_unknown")

    async def erase(self, conversation_id: str, at: datetime) -> Erased:
        """Delete the person's data."""
        drafts = [d.id for d in self._drafts.values() if d.conversation_id == conversation_id]
        gone = [s for s in self._submissions if s.conversation_id == conversation_id]
        for one in drafts:
            del self._drafts[one]
        self._submissions = [s for s in self._submissions if s not in gone]
        self._consents = {c for c in self._consents if c[0] != conversation_id}
        return Erased(1, 0, len(drafts), len(gone), ())
