"""Personal data in free text, masked for the queue, for logs and before any model sees it."""

from __future__ import annotations

import re

_PATTERNS = (
    (re.compile(r"(?<!\d)1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)"), "〔手机号〕"),
    (re.compile(r"(?<!\d)\d{17}[\dXx](?!\w)"), "〔证件号〕"),
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "〔邮箱〕"),
    (re.compile(r"(?<![\dA-Z])[0-9A-HJ-NPQRTUWXY]{2}\d{6}[0-9A-HJ-NPQRTUWXY]{10}(?![\dA-Z])"), "〔信用代码〕"),
)


def mask(text: str) -> str:
    """`text` with mobile numbers, identity numbers, e-mail addresses and credit codes replaced by what they are."""
    for pattern, label in _PATTERNS:
        text = pattern.sub(label, text)
    return text
