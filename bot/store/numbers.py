"""References that can be read out on the telephone: no 0/O, 1/I/L, 2/Z, 5/S, 8/B, U/V, Q, D, G, M/N confusion."""

from __future__ import annotations

import secrets
import unicodedata

from bot.store.errors import StoreError

ALPHABET = "34679ACEFHJKPRTWXY"
"""18 characters, none of which is taken for another by ear or by eye."""

_PREFIX = {"ticket": "Q", "receipt": "R", "code": "C"}


def new_number(kind: str) -> str:
    """A random reference.

    Args:
        kind: "ticket" ("Q-7K3M…", 18**6, about 34 million), "receipt" (8 characters) or
            "code" (10 characters in two groups, about 41 bits: with the limit of attempts, not to be guessed).
    """
    length = {"ticket": 6, "receipt": 8, "code": 10}[kind]
    said = "".join(secrets.choice(ALPHABET) for _ in range(length))
    if kind != "ticket":
        said = f"{said[: length // 2]}-{said[length // 2 :]}"
    return f"{_PREFIX[kind]}-{said}"


def normal_number(said: str, kind: str) -> str:
    """The reference as stored, from how a person typed it: small letters, full width, blanks, no hyphens.

    Raises:
        StoreError: "bad_number" where it cannot be one of this kind.
    """
    plain = "".join(c for c in unicodedata.normalize("NFKC", said).upper() if c.isalnum())
    prefix, length = _PREFIX[kind], {"ticket": 6, "receipt": 8, "code": 10}[kind]
    if len(plain) == length + 1:
        plain = plain.removeprefix(prefix)
    if len(plain) != length or any(c not in ALPHABET for c in plain):
        raise StoreError("bad_number")
    if kind == "ticket":
        return f"{prefix}-{plain}"
    return f"{prefix}-{plain[: length // 2]}-{plain[length // 2 :]}"
