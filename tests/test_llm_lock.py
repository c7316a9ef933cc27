"""The lock lets no lie through, and lets the truth through in other words."""

from __future__ import annotations

from datetime import date

import pytest

from bot.llm.lock import Unsupported, unsupported
from bot.llm.sources import clause_text
from knowledge.loading import Pack
from tests.llm_sayings import KEPT_OUT_LIES, KEPT_OUT_TRUTHS, LIES, SECOND_LIES, SECOND_TRUTHS, TRUTHS, Saying

TODAY = date(2026, 3, 30)


def held(saying: Saying, pack: Pack) -> list[Unsupported]:
    """What the lock finds in one saying of the tables."""
    text, refs = saying
    sources = [clause_text(pack, pack.clause(ref)) for ref in refs]
    return unsupported(text, sources, today=TODAY)


@pytest.mark.parametrize("saying", [*LIES, *KEPT_OUT_LIES, *SECOND_LIES], ids=lambda s: s[0][:24])
def test_a_lie_is_found(saying: Saying, pack: Pack) -> None:
    assert held(saying, pack), f"let through: {saying[0]}"


def test_the_tables_are_as_large_as_promised() -> None:
    assert len({*LIES, *KEPT_OUT_LIES, *SECOND_LIES}) >= 60
    assert len({*TRUTHS, *KEPT_OUT_TRUTHS, *SECOND_TRUTHS}) >= 60


def test_of_the_true_sayings_nineteen_in_twenty_pass(pack: Pack) -> None:
    sayings = [*TRUTHS, *KEPT_OUT_TRUTHS, *SECOND_TRUTHS]
    cut = {s[0]: held(s, pack) for s in sayings if held(s, pack)}
    assert len(cut) <= 0.05 * len(sayings), cut
