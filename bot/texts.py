"""The sentences a person reads: loaded from `prompts/texts/`, rendered with Jinja, addressed by dotted keys."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import Any

import yaml
from jinja2 import Environment, StrictUndefined, Template
from jinja2.exceptions import TemplateError

_WEEKDAYS = "一二三四五六日"


class TextError(Exception):
    """A text that is missing or cannot be rendered; the message names its key."""


def short_date(day: date) -> str:
    """4月7日."""
    return f"{day.month}月{day.day}日"


def weekday(day: date) -> str:
    """周二."""
    return f"周{_WEEKDAYS[day.weekday()]}"


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The one Jinja environment for texts and topics: an unknown variable is an error, white space is trimmed."""
    env = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False)
    env.filters["day"] = short_date
    env.filters["weekday"] = weekday
    return env


@lru_cache(maxsize=4096)
def compiled(source: str) -> Template:
    """A template, compiled once."""
    return environment().from_string(source)


class Texts:
    """All texts, by "file.key" or "file.key.key"."""

    def __init__(self, tree: Mapping[str, Any]) -> None:
        self._tree = tree

    @classmethod
    def load(cls) -> Texts:
        """Read every `prompts/texts/*.yaml`."""
        folder = files("prompts") / "texts"
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        return cls(
            {
                entry.name.removesuffix(".yaml"): yaml.load(entry.read_text("utf-8"), Loader=loader)
                for entry in sorted(folder.iterdir(), key=lambda e: e.name)
                if entry.name.endswith(".yaml")
            }
        )

    def get(self, key: str) -> Any:
        """The raw value behind a key. Raises TextError where there is none."""
        node: Any = self._tree
        for part in key.split("."):
            if not isinstance(node, Mapping) or part not in node:
                raise TextError(f"no text {key!r} in prompts/texts")
            node = node[part]
        return node

    def render(self, key: str, **values: Any) -> str:
        """The text behind a key, filled in. Raises TextError where it is missing or a variable is."""
        try:
            return str(compiled(str(self.get(key))).render(**values)).strip()
        except TemplateError as error:
            raise TextError(f"text {key!r}: {error}") from error


@lru_cache(maxsize=1)
def texts() -> Texts:
    """The texts of this installation, read once."""
    return Texts.load()
