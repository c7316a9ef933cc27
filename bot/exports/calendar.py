"""The milestones as a calendar: all-day events, the same identifiers at every export."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from icalendar import Calendar, Event

from bot.exports.records import ExportFile, ExportInput, safe_name
from bot.texts import Texts
from knowledge.pack import Milestone, Role


def calendar(milestones: Iterable[Milestone], role: Role | None, now: datetime, texts: Texts, pack_id: str) -> bytes:
    """An iCalendar file.

    Args:
        role: Only this role's duties; None: all.
        now: Stamp of the events, with time zone.
        pack_id: Part of each event's identifier, so that two rounds never collide.
    """
    out = Calendar()
    out.add("prodid", f"-//qtic//{pack_id}//ZH")
    out.add("version", "2.0")
    out.add("calscale", "GREGORIAN")
    out.add("method", "PUBLISH")
    out.add("x-wr-calname", texts.get("exports.calendar.name"))
    out.add("x-wr-timezone", "Asia/Shanghai")
    for milestone in milestones:
        if role is not None and role not in milestone.who:
            continue
        event = Event()
        event.add("uid", f"{milestone.id}@{pack_id}")
        event.add("dtstamp", now.astimezone(UTC))
        event.add("dtstart", milestone.opens or milestone.closes)
        event.add("dtend", milestone.closes + timedelta(days=1))  # the end is exclusive
        title = milestone.title
        if milestone.opens is None:
            title = texts.render("exports.calendar.last_day", title=title)
        event.add("summary", title)
        event.add("description", texts.render("exports.calendar.description", duty=milestone.duty,
                                              where=milestone.where, clause=milestone.clause))  # fmt: skip
        if milestone.where:
            event.add("location", milestone.where)
        event.add("transp", "TRANSPARENT")
        out.add_component(event)
    return bytes(out.to_ical())


def milestones(data: ExportInput) -> list[ExportFile]:
    """The pack's milestones as an .ics, by role."""
    body = calendar(data.milestones, data.role, data.now, data.texts, data.pack_id)
    return [
        ExportFile(
            safe_name(str(data.texts.get("exports.files.milestones")), ".ics"),
            "text/calendar; charset=utf-8",
            body,
        )
    ]
