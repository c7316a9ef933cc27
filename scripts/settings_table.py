"""Write `.env.example` and the settings tables of the READMEs from `bot.settings.Settings`.

python scripts/settings_table.py            write .env.example, and each README that has the two marks
python scripts/settings_table.py --check    only tell whether they agree; exit code 1 where they do not
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from bot.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- settings -->", "<!-- /settings -->"
READMES = ("README.md", "README.zh-CN.md")
HEAD = """\
# Every setting of the assistant, with its default. Copy to .env and uncomment what you change.
# Written by scripts/settings_table.py; not by hand.
"""


def default_of(field: FieldInfo) -> str:
    """A field's default as it would be typed; empty for none."""
    value: Any = field.default
    return "" if value is None or value is PydanticUndefined else str(value)


def env_example() -> str:
    """The text of .env.example."""
    lines = [HEAD]
    for name, field in Settings.model_fields.items():
        lines.append(f"# {field.description}\n# {name.upper()}={default_of(field)}\n")
    return "\n".join(lines)


def table() -> str:
    """The settings as a Markdown table."""
    rows = ["| setting | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = default_of(field)
        rows.append(f"| `{name.upper()}` | {f'`{default}`' if default else ''} | {field.description} |")
    return "\n".join(rows)


def with_table(text: str) -> str:
    """A README with the table between its marks; unchanged where it has none."""
    if BEGIN not in text or END not in text:
        return text
    head, _, rest = text.partition(BEGIN)
    return f"{head}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}"


def wanted() -> dict[Path, str]:
    """What each file should hold."""
    files = {ROOT / ".env.example": env_example()}
    for name in READMES:
        path = ROOT / name
        if path.exists():
            files[path] = with_table(path.read_text("utf-8"))
    return files


def main() -> int:
    """Write the files, or compare them."""
    stale = [p for p, text in wanted().items() if not p.exists() or p.read_text("utf-8") != text]
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path.name} does not agree with Settings; run python scripts/settings_table.py")
        return 1 if stale else 0
    for path in stale:
        path.write_text(wanted()[path], "utf-8")
        print(f"wrote {path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
