"""A strict emulator of the Telegram Bot API over real HTTP: it refuses what the real one documents to refuse.

    async with Emulator().serve() as emulator:
        person = emulator.person(7)
        person.says("自评截止到哪天？")
        answer = await person.next()
        person.presses(answer, "依据（1）")

What it does not prove is said in docs/telegram.md.
"""

from tests.telegram_emulator.checks import ApiError, parse_html
from tests.telegram_emulator.people import Group, Person
from tests.telegram_emulator.server import Emulator, Fault

__all__ = ["ApiError", "Emulator", "Fault", "Group", "Person", "parse_html"]
