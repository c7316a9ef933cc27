"""Made-up people. Forms, consent, resume codes, limits, staff, deletion, on every database."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, text, update

from bot.messages import Reply, Status
from bot.store import (
    Draft,
    Missing,
    NewTicket,
    Refused,
    StaleDraft,
    Store,
    StoreError,
)
from bot.store.tables import AuditEntry
from tests.store.conftest import NOW, turn

MOBILE = "13800001234"
DAY = timedelta(days=1)


async def begun(store: Store, conversation: str = "c1", channel: str = "web") -> Draft:
    """A conversation with a draft."""
    await store.save_turn(await store.load(conversation, channel, NOW), turn())
    draft = store.forms.new_draft(conversation, "centre", "1")
    return await store.forms.save_draft(
        replace(draft, answers={"手机": MOBILE}, department="市南区", unit_type="company")
    )


async def test_a_draft_is_as_it_was_left_and_the_later_of_two_writers_is_told(store: Store) -> None:
    draft = await begun(store)
    kept = await store.forms.draft("c1", "centre")
    assert kept == draft
    newer = await store.forms.save_draft(replace(draft, answers={"手机": "2"}, done=1))
    with pytest.raises(StaleDraft):
        await store.forms.save_draft(replace(draft, answers={"手机": "3"}))
    assert await store.forms.draft("c1") == newer
    assert (await store.forms.drafts())[0].answers == {}
    await store.forms.save_draft(replace(newer, state="abandoned"))
    assert await store.forms.draft("c1") is None


async def test_handing_in_twice_is_one_submission_and_a_change_is_a_new_revision(store: Store) -> None:
    draft = await begun(store)
    first = await store.forms.submit(draft, centre="某中心")
    again = await store.forms.submit(draft, centre="某中心")
    assert first == again
    assert (first.revision, first.answers) == (1, {"手机": MOBILE})
    assert await store.forms.draft("c1") is None
    await store.forms.needs_correction(first.id, "号码不对", "手机")
    reopened = await store.forms.draft("c1")
    assert reopened is not None and reopened.receipt == first.receipt
    changed = await store.forms.save_draft(replace(reopened, answers={"手机": "13900001234"}))
    second = await store.forms.submit(changed)
    assert (second.receipt, second.revision) == (first.receipt, 2)
    old = await store.forms.submission(first.receipt.lower(), 1)
    assert (old.answers, old.note, old.note_field) == ({"手机": MOBILE}, "号码不对", "手机")
    assert [s.revision for s in await store.forms.submissions()] == [2]
    assert len(await store.forms.submissions(latest=False, open_answers=True)) == 2
    assert await store.forms.submissions(department="市北区") == []
    assert [s.id for s in await store.forms.submissions(conversation_id="c1", form="centre")] == [second.id]
    assert await store.forms.mark_exported([second.id]) == 1
    assert await store.forms.mark_exported([second.id]) == 0
    with pytest.raises(Missing):
        await store.forms.submission("R-3333-4444")


async def test_consent_holds_for_its_purpose_and_text_until_it_is_withdrawn(store: Store) -> None:
    assert not await store.forms.consented("c1", "form", "1")
    for _ in range(2):
        await store.forms.consent("c1", "form", "1")
        assert await store.forms.consented("c1", "form", "1")
    assert not await store.forms.consented("c1", "form", "2")
    assert not await store.forms.consented("c2", "form", "1")
    await store.forms.withdraw_consent("c1", "form")
    assert not await store.forms.consented("c1", "form", "1")
    await store.forms.consent("c1", "form", "1")
    assert await store.forms.consented("c1", "form", "1")


@pytest.mark.parametrize("talked_before", [True, False])
async def test_a_resume_code_opens_the_draft_from_another_channel_once(store: Store, talked_before: bool) -> None:
    draft = await begun(store)
    if talked_before:
        await store.save_turn(await store.load("t1", "telegram", NOW), turn())
        await store.forms.consent("t1", "form", "1")
    await store.forms.consent("c1", "form", "1")
    code = await store.threads.issue("c1")
    await store.threads.redeem(code.lower().replace("-", " "), "t1")
    assert await store.forms.draft("t1") == draft
    assert await store.forms.consented("t1", "form", "1")
    if not talked_before:
        await store.save_turn(await store.load("t1", "telegram", NOW), turn())
    assert set(await store.threads.conversations("c1")) == {"c1", "t1"}
    with pytest.raises(Refused, match="code_used"):
        await store.threads.redeem(code, "x1")
    assert await store.forms.draft("x1") is None


async def test_a_resume_code_expires_and_a_wrong_one_opens_nothing(store: Store) -> None:
    await begun(store)
    code = await store.threads.issue("c1", valid=DAY)
    with pytest.raises(Refused, match="code_expired"):
        await store.threads.redeem(code, "t1", now=NOW + DAY)
    newer = await store.threads.issue("c1", valid=DAY)
    with pytest.raises(Refused, match="code_unknown"):
        await store.threads.redeem(code, "t1")
    with pytest.raises(StoreError, match="bad_number"):
        await store.threads.redeem("0000", "t1")
    both = await asyncio.gather(
        store.threads.redeem(newer, "t1"), store.threads.redeem(newer, "t2"), return_exceptions=True
    )
    assert sorted(isinstance(b, Refused) for b in both) == [False, True]


async def test_attempts_are_limited_in_each_window_even_when_made_at_once(store: Store) -> None:
    tried = await asyncio.gather(*(store.limits.allow("resume:x", limit=3, window=DAY) for _ in range(8)))
    assert sum(tried) == 3
    assert await store.limits.allow("resume:y", limit=3, window=DAY)
    assert await store.limits.allow("resume:x", limit=3, window=DAY, now=NOW + DAY)
    await store.limits.forget("resume:x")
    assert await store.limits.sweep(NOW + 2 * DAY) == 1


async def test_a_person_is_known_by_channel_and_id(store: Store) -> None:
    ids = await asyncio.gather(*(store.persons.remember("telegram", "4711") for _ in range(5)))
    assert len(set(ids)) == 1
    assert await store.persons.remember("web", "4711") != ids[0]
    assert await store.persons.address(ids[0]) == "4711"


async def test_erasing_a_person_leaves_nothing_of_theirs_but_what_was_handed_out(store: Store) -> None:
    person = await store.persons.remember("telegram", "4711")
    draft = await begun(store)
    await store.save_turn(await store.load("t1", "telegram", NOW), turn(), person_id=person)
    await store.threads.redeem(await store.threads.issue("c1"), "t1")
    await store.forms.consent("c1", "form", "1")
    exported = await store.forms.submit(draft)
    await store.forms.mark_exported([exported.id])
    other = await store.forms.submit(await store.forms.save_draft(store.forms.new_draft("t1", "roster", "1")))
    ticket = NewTicket("能延期吗", f"能延期吗，我的手机{MOBILE}", "not_in_sources")
    asked = turn().model_copy(update={"reply": Reply(text="", status=Status.UNANSWERED)})
    await store.save_turn(await store.load("c1", "web", NOW), asked, ticket=ticket)
    await begun(store, "stranger")

    erased = await store.privacy.erase("t1")
    assert (erased.conversations, erased.submissions, erased.kept) == (2, 1, (exported.receipt,))
    assert (await store.load("c1", "web", NOW)).turns == []
    assert await store.forms.draft("c1") is None
    with pytest.raises(Missing):
        await store.forms.submission(other.receipt)
    with pytest.raises(Missing):
        await store.persons.address(person)
    closed = await store.tickets.get(ticket.number)
    assert (closed.status, closed.closed_reason, closed.askers) == ("closed", "asker_erased", 0)
    assert (await store.forms.submission(exported.receipt)).answers == {"手机": MOBILE}
    assert not await store.forms.consented("c1", "form", "1")
    assert await store.forms.draft("stranger") is not None


async def test_what_nobody_used_for_long_is_swept(store: Store) -> None:
    await begun(store)
    assert await store.privacy.sweep(conversations_before=NOW, traces_before=NOW) == 0
    assert await store.privacy.sweep(conversations_before=NOW + DAY, traces_before=NOW + DAY) == 1
    assert await store.forms.draft("c1") is None


async def test_an_account_is_locked_after_failures_and_opens_again_by_time(store: Store) -> None:
    await store.staff.add("li", "李", "agent", "hash")
    with pytest.raises(Refused, match="login_taken"):
        await store.staff.add("li", "李", "agent", "hash")
    with pytest.raises(Refused, match="unknown_role"):
        await store.staff.add("x", "x", "root", "hash")
    for _ in range(5):
        await store.staff.login_failed("li")
    with pytest.raises(Refused, match="account_closed"):
        await store.staff.open_session("li")
    token, session = await store.staff.open_session("li", now=NOW + DAY)
    assert session.staff.failed == 0 and session.staff.must_change
    assert await store.staff.session(token, now=NOW + DAY) is not None
    assert await store.staff.session(token, now=NOW + 2 * DAY) is None
    assert await store.staff.session("made up", now=NOW + DAY) is None


async def test_disabling_or_a_new_password_ends_the_sessions(store: Store) -> None:
    await store.staff.add("li", "李", "agent", "hash")
    for change in ({"password_hash": "new"}, {"role": "editor"}, {"disabled": True}):
        token, _ = await store.staff.open_session("li")
        await store.staff.change("li", **change)
        assert await store.staff.session(token) is None
    await store.staff.add("admin", "管", "administrator", "hash")
    with pytest.raises(Refused, match="last_administrator"):
        await store.staff.change("admin", disabled=True)
    with pytest.raises(Missing):
        await store.staff.change("nobody", name="x")
    await store.staff.set_totp("admin", "SECRET")
    admin = await store.staff.get("admin")
    assert admin is not None and admin.totp == "SECRET" and "SECRET" not in repr(admin)
    assert [s.login for s in await store.staff.all()] == ["admin", "li"]


async def test_the_audit_log_can_be_written_and_read_but_not_changed(store: Store) -> None:
    await store.staff.record("li", "open", "submission", "s1", {"字段": ["手机"]})
    await store.staff.record("li", "export", "submission", "all")
    (entry,) = await store.staff.audit(record=("submission", "s1"))
    assert (entry.who, entry.action, entry.detail) == ("li", "open", {"字段": ["手机"]})
    for statement in (update(AuditEntry).values(who="wang"), delete(AuditEntry)):
        with pytest.raises(StoreError):
            await store._db.run(statement)
    assert [e.action for e in await store.staff.audit(who="li")] == ["export", "open"]


async def test_no_personal_data_stands_readable_in_any_table(store: Store) -> None:
    person = await store.persons.remember("telegram", MOBILE)
    conversation = await store.load("c1", "web", NOW)
    conversation.profile.said["x"] = MOBILE
    conversation.pending = {"手机": MOBILE}
    ticket = NewTicket("能延期吗", f"我是{MOBILE}", "not_in_sources")
    said = turn(MOBILE, f"您说的是{MOBILE}")
    saved = await store.save_turn(conversation, said, ticket=ticket, person_id=person)
    await store.conversations.rate("c1", saved.number, -1, MOBILE)
    await store.tickets.asker_says(ticket.number, "c1", MOBILE)
    await store.tickets.answer(ticket.number, said.reply, resolution="可以", by="li", version=2)
    draft = store.forms.new_draft("c1", "centre", "1")
    draft = await store.forms.save_draft(replace(draft, answers={"手机": MOBILE}))
    submission = await store.forms.submit(draft)
    await store.forms.needs_correction(submission.id, MOBILE)
    await store.limits.allow(MOBILE, limit=1, window=DAY)
    async with store._db.read() as connection:
        for table in AuditEntry.metadata.sorted_tables:
            rows = (await connection.execute(text(f"SELECT * FROM {table.name}"))).all()
            assert MOBILE not in str(rows), table.name
            assert "\\u" not in str(rows)
