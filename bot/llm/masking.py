"""Personal data taken out before a text leaves the house, and put back afterwards."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.understanding.privacy import mask

_LABEL = re.compile(r"〔(?:手机号|证件号|邮箱|信用代码)〕")


@dataclass(frozen=True)
class Masked:
    """A text without personal data; `hidden` holds what stood behind each numbered label."""

    text: str
    hidden: dict[str, str]

    def restore(self, text: str) -> str:
        """`text` with the labels replaced by what they stand for."""
        for label, words in self.hidden.items():
            text = text.replace(label, words)
        return text


def masked(text: str) -> Masked:
    """Hide mobile numbers, identity numbers, e-mail addresses and credit codes, each under a label of its own."""
    hidden_text = mask(text)
    labels = _LABEL.findall(hidden_text)
    if not labels:
        return Masked(hidden_text, {})
    pattern = "(.+?)".join(re.escape(part) for part in _LABEL.split(hidden_text))
    match = re.fullmatch(pattern, text, re.S)
    hidden: dict[str, str] = {}
    counter = iter(range(1, len(labels) + 1))

    def numbered(label: re.Match[str]) -> str:
        number = next(counter)
        name = f"{label[0][:-1]}{number}〕"
        if match:
            hidden[name] = match[number]
        return name

    return Masked(_LABEL.sub(numbered, hidden_text), hidden)
