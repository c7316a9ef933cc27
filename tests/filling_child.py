"""Made up for tests: fills in forms until killed, and says each answer once it was confirmed. See `test_filling_kills`.

The process given the folder loads everything once, then forks a child for each line it reads; the child opens
the database as a new process would. `os.fork` before any thread or event loop is started is safe.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import traceback
from pathlib import Path

from bot.forms.journey import parse_answer
from knowledge.loading import load_pack
from tests.filling_people import Person, asked_title, form_service
from tests.forms_samples import CENTRE, TEXTS

PACK = load_pack("qingdao-tic-2026")
BY_TITLE = {f.title: f for f in CENTRE.fields()}


def told(**what: object) -> None:
    """One line for the parent, in one write."""
    os.write(1, (json.dumps(what, ensure_ascii=False) + "\n").encode())


async def fill(folder: Path, first: int) -> None:
    """Go on with the first form that is not handed in, then fill in others, for ever."""
    async with form_service(folder, PACK) as (store, assistant):
        number = first
        while True:
            conversation = f"c{number}"
            person = Person(assistant, conversation)
            reply = await person.says("继续填表")
            if any(c.value == "f:agree" for c in reply.choices):
                reply = await person.says("同意")
            while title := asked_title(reply):
                field = BY_TITLE[title]
                words = field.example
                if field.type in ("short_text", "long_text"):
                    words = f"{words}{os.getpid()}"
                reply = await person.says(words)
                if asked_title(reply) != title:
                    told(conversation=conversation, field=field.id, value=parse_answer(field, words, TEXTS))
            if "确认提交" in reply.text:
                reply = await person.says("确认提交")
                (receipt,) = [s.receipt for s in await store.forms.submissions(conversation_id=conversation)]
                assert receipt in reply.text
                told(conversation=conversation, receipt=receipt)
            number += 1


def main(folder: Path) -> None:
    """Fork a child for each line; the line is the number of the first conversation. Says its process id."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            devnull = os.open(os.devnull, os.O_RDONLY)
            os.dup2(devnull, 0)
            try:
                asyncio.run(fill(folder, int(line)))
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(1)
        told(pid=child)
        _, status = os.waitpid(child, 0)
        told(ended=status)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
