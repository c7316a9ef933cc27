"""The prompts of `prompts/llm/*.md`: a head with version and variables, then the text, filled in with Jinja."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import yaml

from bot.texts import environment

_MARK = re.compile(r"<{2,}|>{2,}|〖|〗")


class PromptError(Exception):
    """A prompt that is missing or has no head."""


@dataclass(frozen=True)
class Prompt:
    """One prompt: `system` is fixed, `user` is filled in."""

    name: str
    version: int
    variables: frozenset[str]
    system: str
    user: str

    def fill(self, **values: object) -> str:
        """The user's part, filled in. Raises jinja2.UndefinedError for a variable that was not given."""
        return environment().from_string(self.user).render(**values).strip()


@lru_cache(maxsize=16)
def prompt(name: str) -> Prompt:
    """A prompt by the name of its file. Raises PromptError where it is missing or malformed."""
    try:
        text = (files("prompts") / "llm" / f"{name}.md").read_text("utf-8")
        _, head, body = text.split("---\n", 2)
        data = yaml.safe_load(head)
        system, user = body.split("\n# user\n", 1)
        return Prompt(
            name,
            int(data["version"]),
            frozenset(data["variables"]),
            system.replace("# system\n", "", 1).strip(),
            user.strip(),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PromptError(
            f"prompts/llm/{name}.md: {error}; expected a head with version and variables, # system, # user"
        ) from error


def fenced(text: str, label: str, fence: str) -> str:
    """Text as data between marks that it cannot contain."""
    return f"〖{label} {fence}〗\n{_MARK.sub(' ', text)}\n〖/{label} {fence}〗"


def new_fence() -> str:
    """A mark nobody can guess, for one call."""
    return secrets.token_hex(4)
