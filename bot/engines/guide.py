"""Registration and filing, one step at a time: next, back, stuck."""

from __future__ import annotations

from bot.conversation import Profile
from bot.engines.base import Answer, Ask, Book
from bot.messages import Choice
from knowledge.pack import Role, UnitType


def track_for(profile: Profile, named: str | None) -> str:
    """The track for a reader: the named one, else by role and unit type (notice 五（一）: who fills in)."""
    if profile.role is Role.OFFICER:
        return "officer"
    if named in ("company", "person", "officer"):
        return named
    if profile.unit_type is not None and profile.unit_type is not UnitType.COMPANY:
        return "person"
    return "company"


def guide(ask: Ask, book: Book) -> Answer:
    """The first step of the track that fits, with an outline of all steps."""
    named = ask.topic.params.get("track")
    return guide_step(book, ask.profile, track_for(ask.profile, str(named) if named else None), 0, overview=True)


def guide_step(
    book: Book, profile: Profile, track_id: str, number: int, *, overview: bool = False, stuck: bool = False
) -> Answer:
    """Step `number` (from 0, held within the track) of a track, or the help for a person who is stuck at it."""
    track = book.pack.guide.track(track_id)
    number = max(0, min(number, len(track.steps) - 1))
    step = track.steps[number]
    body = book.render(step.text, profile)
    help_text = book.render(step.stuck, profile) if stuck else None
    text = book.texts.render(
        "guide.step",
        track=track.title,
        number=number + 1,
        total=len(track.steps),
        title=step.title,
        text=body,
        steps=[s.title for s in track.steps] if overview else None,
        stuck=help_text,
    )
    for ref in step.clauses:
        book.cite(ref)
    choices = []
    if number + 1 < len(track.steps):
        choices.append(Choice(label=book.texts.render("guide.next"), value=f"g:{track_id}:{number + 1}"))
    if number > 0:
        choices.append(Choice(label=book.texts.render("guide.back"), value=f"g:{track_id}:{number - 1}"))
    if not stuck:
        choices.append(Choice(label=book.texts.render("guide.stuck"), value=f"g:{track_id}:{number}:stuck"))
    if overview:
        choices += [Choice(label=t.title, value=f"g:{t.id}:0") for t in book.pack.guide.tracks if t.id != track_id]
    return Answer(
        text, book.citations(), choices=tuple(choices), pending={"kind": "guide", "track": track_id, "step": number}
    )
