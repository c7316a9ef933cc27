"""Hold the assistant to its question sets: `make check` fails where a rate falls below its floor.

The floors of the development set are the project's requirements; those of the other sets are what was
reached, so that nothing gets worse unseen.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from bot.bootstrap import load_knowledge
from bot.commands.asking import answer_cases, read_cases, reply_data
from bot.evaluation import report, score
from bot.settings import Settings

QUESTIONS = Path(__file__).resolve().parent.parent / "tests" / "questions"
FLOORS = {
    "dev.jsonl": {
        "passed": 0.92,
        "answerable_correct": 0.93,
        "citation_hit": 0.95,
        "decline_recall": 0.93,
        "decline_precision": 0.90,
    },
}
GROUP_FLOORS = {"dev.jsonl": {"multiturn": 0.90, "false_premise": 0.90, "date_arith": 0.90, "self_check": 0.90}}


def main() -> int:
    """Run every set that has floors; the exit status is 1 where one is missed."""
    knowledge = load_knowledge(Settings.read())
    missed = 0
    for name, floors in FLOORS.items():
        cases = list(read_cases(QUESTIONS / name, knowledge.pack.info.time_zone))
        answers = asyncio.run(answer_cases(cases, knowledge))
        found = score([(case.raw, reply_data(reply)) for case, reply in answers])
        print(f"== {name}\n{report(found, failures=True)}")
        rates = found.rates()
        below = [f"{rate} {rates[rate]} < {floor}" for rate, floor in floors.items() if (rates[rate] or 0.0) < floor]
        for group, floor in GROUP_FLOORS.get(name, {}).items():
            ok, total = found.groups()[group]
            if ok / total < floor:
                below.append(f"{group} {ok / total:.3f} < {floor}")
        for line in below:
            print(f"MISSED {name}: {line}")
        missed += len(below)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
