"""Tokens that a turn and a day may use, estimated: exact tables would have to be fetched from the network."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date

from bot.llm.errors import Failure, LLMError


def estimate_tokens(text: str) -> int:
    """Tokens of a text, rather too many than too few: one a Chinese character, one for three others."""
    wide = sum(1 for c in text if ord(c) > 0x2E7F)
    return wide + math.ceil((len(text) - wide) / 3)


def shorten(text: str, tokens: int) -> str:
    """The end of a text that is within so many tokens."""
    if estimate_tokens(text) <= tokens:
        return text
    kept: list[str] = []
    used = 0.0
    for character in reversed(text):
        used += 1.0 if ord(character) > 0x2E7F else 1 / 3
        if used > tokens:
            break
        kept.append(character)
    return "".join(reversed(kept))


@dataclass
class Budget:
    """The day's tokens, counted in this process alone (each replica has its own).

    Args:
        turn: Tokens one turn may use, prompt and answer together.
        daily: Tokens one day may use.
    """

    turn: int
    daily: int
    _day: date | None = field(default=None, init=False)
    _used: int = field(default=0, init=False)

    def open_turn(self, day: date) -> Turn:
        """A turn of a day. Raises LLMError (budget) where the day's tokens are used up."""
        if day != self._day:
            self._day, self._used = day, 0
        if self._used >= self.daily:
            raise LLMError(Failure.BUDGET, f"{self._used} of {self.daily} tokens of the day are used")
        return Turn(self)

    def spend(self, tokens: int) -> None:
        """Count tokens on the day."""
        self._used += tokens

    @property
    def used(self) -> int:
        """Tokens used on the day of the last turn."""
        return self._used


@dataclass
class Turn:
    """What one turn has left."""

    budget: Budget
    used: int = 0

    def take(self, prompt: str, answer: int) -> None:
        """Count a call before it is made. Raises LLMError (budget) where the turn has too little left.

        Args:
            prompt: Everything that is sent.
            answer: The most tokens the answer may have.
        """
        tokens = estimate_tokens(prompt) + answer
        if self.used + tokens > self.budget.turn:
            raise LLMError(Failure.BUDGET, f"the turn would use {self.used + tokens} of {self.budget.turn} tokens")
        self.used += tokens
        self.budget.spend(tokens)
