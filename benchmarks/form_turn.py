"""How long a turn of a form takes without the encoder: load, answer, draft and turn on SQLite's disk.

python -m benchmarks.form_turn
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from bot.forms.journey import next_field
from tests.filling_people import Person, form_service
from tests.forms_samples import CENTRE


async def main() -> None:
    """Print the median and the 95th percentile in milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        async with form_service(Path(folder)) as (store, assistant):
            answers: list[float] = []
            for number in range(8):
                person = Person(assistant, f"c{number}")
                await person.says("填表")
                await person.says("同意")
                while True:
                    draft = await store.forms.draft(person.conversation)
                    field = next_field(CENTRE, draft.answers if draft else {})
                    if field is None:
                        break
                    begun = time.perf_counter()
                    await person.says(field.example)
                    answers.append((time.perf_counter() - begun) * 1000)
    _print("an answer taken", answers)


def _print(name: str, taken: list[float]) -> None:
    p95 = statistics.quantiles(taken, n=20)[-1]
    print(f"{name:20} median {statistics.median(taken):6.2f} ms   p95 {p95:6.2f} ms   n={len(taken)}")


if __name__ == "__main__":
    asyncio.run(main())
