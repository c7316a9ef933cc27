"""Write the single-character tables that `knowledge.text` reads: readings and traditional forms.

    python scripts/build_characters.py

`knowledge/data/pinyin.json` maps a toneless syllable to the characters read so (a character with several
readings stands under its two most common ones), from pypinyin. `knowledge/data/traditional.txt` holds the
characters that opencc turns into another, so that opencc is loaded only for a text that needs it.
Tables, because importing pypinyin costs 0.26 s and 50 MB at each start.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

from opencc import OpenCC
from pypinyin import Style, pinyin

DATA = Path(__file__).resolve().parent.parent / "knowledge" / "data"
READINGS = 2


def is_common(character: str) -> bool:
    """Whether the national standard GB 2312 has the character: every one that people type in practice."""
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def main() -> None:
    han = [chr(code) for code in range(0x3400, 0xA000)]
    syllables: defaultdict[str, list[str]] = defaultdict(list)
    for character in han:
        if is_common(character):
            for reading in list(dict.fromkeys(pinyin(character, style=Style.NORMAL, heteronym=True)[0]))[:READINGS]:
                syllables[reading].append(character)
    table = {syllable: "".join(characters) for syllable, characters in sorted(syllables.items())}
    lines = json.dumps(table, ensure_ascii=False, indent=0)
    (DATA / "pinyin.json").write_text(lines + "\n", encoding="utf-8")
    simplify = OpenCC("t2s").convert
    traditional = "".join(character for character in han if simplify(character) != character)
    (DATA / "traditional.txt").write_text(traditional + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
