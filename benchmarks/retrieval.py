"""How well clauses are found, and how fast a document goes live. On the regulation made up for the tests.

    python benchmarks/retrieval.py [--large] [--data FOLDER]

One run prints clause hit@1 and hit@3 of the product, with and without sample questions, beside plain Chroma
(cosine of the same encoder) and plain BM25 (the same word segments); what the calibrated bar does; and the
time from a 200-clause file to the first answer. `--large`: also 5,000 clauses, with the turns of a second
process's user measured while they are imported.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bot.bootstrap import Knowledge, live_knowledge, load_knowledge, make_assistant  # noqa: E402
from bot.importing import Importing  # noqa: E402
from bot.keeping import MemoryKeeper  # noqa: E402
from bot.messages import Message  # noqa: E402
from bot.settings import Settings  # noqa: E402
from bot.texts import texts  # noqa: E402
from knowledge.finding import clean, cleaner  # noqa: E402
from knowledge.index.lexical import segments  # noqa: E402

DATA = ROOT / "tests" / "data"
NOW = datetime.fromisoformat("2026-03-30T10:00:00+08:00")
Search = Callable[[str, Any], Sequence[str]]


def questions() -> list[dict[str, list[str]]]:
    """The wordings made up for the tests."""
    found: list[dict[str, list[str]]] = yaml.safe_load((DATA / "made_up_questions.yaml").read_text("utf-8"))
    return found


def regulation(count: int) -> str:
    """A regulation of `count` clauses, made up: no article is like another."""
    things = [
        "场所",
        "设备",
        "经费",
        "人员",
        "档案",
        "数据",
        "成果",
        "合同",
        "样品",
        "标识",
        "车辆",
        "图书",
        "印章",
        "网站",
        "培训",
        "值班",
    ]
    acts = ["登记", "盘点", "检查", "报告", "公示", "封存", "移交", "备案", "评估", "更新"]
    units = ["测试局", "牵头单位", "测试中心", "专家组", "秘书处", "监督组", "财务组"]
    lines = ["（为测量速度编造的文件，不是任何机关发布的规定）", "测试市样例管理规定"]
    for n in range(1, count + 1):
        thing, act, unit = things[n % 16], acts[n // 16 % 10], units[n % 7]
        lines.append(
            f"第{_numeral(n)}条 {unit}应当在每年第{n % 300 + 1}日前对{thing}进行{act}，并把编号为{n}的记录保存{n % 19 + 2}年。"
        )
    return "\n".join(lines)


def _numeral(n: int) -> str:
    names = "零一二三四五六七八九"
    out, zero = "", False
    for place, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = n // place % 10
        if digit:
            out += ("零" if zero and out else "") + names[digit] + name
            zero = False
        else:
            zero = True
    return out.removeprefix("一十") and (out[1:] if out.startswith("一十") else out)


def plain_chroma(knowledge: Knowledge, document: str, folder: Path) -> Search:
    """Chroma as it comes: the clauses' texts, cosine."""
    import chromadb
    from chromadb.config import Settings as Config

    clauses = _clauses(knowledge, document)
    client = chromadb.PersistentClient(path=str(folder), settings=Config(anonymized_telemetry=False))
    collection = client.create_collection("plain", embedding_function=None, configuration={"hnsw": {"space": "cosine"}})
    vectors = knowledge.encoder.encode_passages([c.text for c in clauses])
    collection.add(ids=[c.path for c in clauses], embeddings=vectors, documents=[c.text for c in clauses])

    def search(text: str, vector: Any) -> Sequence[str]:
        found: Sequence[str] = collection.query(query_embeddings=[vector], n_results=3)["ids"][0]
        return found

    return search


def plain_bm25(knowledge: Knowledge, document: str) -> Search:
    """bm25s as it comes, over the same word segments."""
    from bm25s import BM25

    clauses = _clauses(knowledge, document)
    model = BM25()
    model.index([segments(c.text) for c in clauses], show_progress=False)

    def search(text: str, vector: Any) -> Sequence[str]:
        words = [w for w in segments(text) if w in model.vocab_dict]
        if not words:
            return []
        rows, scores = model.retrieve([words], k=3, show_progress=False)
        return [clauses[i].path for i, s in zip(rows[0], scores[0], strict=True) if s > 0]

    return search


def ours(knowledge: Knowledge, document: str) -> Search:
    """The product's clause search."""
    return lambda text, vector: [c.path for c, _ in knowledge.quotes.search(text, vector, [document], 3)]


def _clauses(knowledge: Knowledge, document: str) -> list[Any]:
    return [c for c in knowledge.pack.clauses.values() if c.document == document and c.kind != "heading"]


def measure(knowledge: Knowledge, search: Search) -> tuple[float, float, float]:
    """hit@1, hit@3, milliseconds a search (the question's encoding, which all share, left out)."""
    corrector = cleaner(knowledge.pack)
    first = three = count = 0
    spent = 0.0
    for entry in questions():
        for asked in entry["asked"]:
            text = clean(asked, corrector)
            vector = knowledge.encoder.encode_queries([text])[0]
            start = time.perf_counter()
            found = search(text, vector)
            spent += time.perf_counter() - start
            first += bool(found) and found[0] in entry["clauses"]
            three += any(path in entry["clauses"] for path in found)
            count += 1
    return first / count, three / count, 1000 * spent / count


def bar(knowledge: Knowledge) -> str:
    """What the calibrated bar lets through: questions that the regulation answers, and those that nothing does."""
    corrector = cleaner(knowledge.pack)
    asked = [(q, e["clauses"]) for e in questions() for q in e["asked"]]
    quoted = right = 0
    for question, wanted in asked:
        seen = knowledge.quotes.look(clean(question, corrector), None, NOW.date())
        if seen.strong:
            quoted += 1
            right += any(q.clause.path in wanted for q in seen.found if q.score >= knowledge.quotes.bar)
    negatives = knowledge.base.negatives
    wrong = sum(knowledge.quotes.look(clean(n, corrector), None, NOW.date()).strong for n in negatives)
    return (
        f"bar {knowledge.quotes.bar:.2f}: quoted {quoted}/{len(asked)}, of these right {right}; "
        f"of {len(negatives)} questions that no source answers, quoted {wrong}"
    )


async def turns(assistant: Any, words: Sequence[str], until: Callable[[], bool], least: int) -> list[float]:
    """Milliseconds of turns, asked one after the other with pauses, until told to stop."""
    spent: list[float] = []
    while len(spent) < least or not until():
        text = words[len(spent) % len(words)]
        start = time.perf_counter()
        await assistant.handle(Message(conversation_id=f"b{len(spent)}", channel="bench", text=text, at=NOW))
        spent.append(1000 * (time.perf_counter() - start))
        await asyncio.sleep(0.05)
        if len(spent) > 20_000:
            break
    return spent


def speed(settings: Settings, count: int, *, watched: bool) -> None:
    """From a file to the first answer from it, the import in a process of its own as an operator runs it."""
    file = settings.data_dir / f"made-up-{count}.txt"
    file.write_text(regulation(count), "utf-8")
    knowledge = load_knowledge(settings)
    assistant = make_assistant(live_knowledge(settings, knowledge), MemoryKeeper(), texts())
    asked = ["自评截止到哪天？", "没有账号怎么办", "要交哪些材料", "联系电话是多少"]
    environment = {"DATA_DIR": str(settings.data_dir), "PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    command = [
        sys.executable,
        "-m",
        "bot.cli",
        "knowledge",
        "add",
        str(file),
        "--as",
        "answers",
        "--id",
        f"speed-{count}",
    ]

    async def run() -> tuple[float, list[float], list[float], str]:
        quiet = await turns(assistant, asked, lambda: True, 60) if watched else []
        start = time.perf_counter()
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: ASYNC220
        busy = await turns(assistant, asked, lambda: process.poll() is not None, 0) if watched else []
        process.wait()
        reply = await assistant.handle(
            Message(conversation_id="last", channel="bench", text=f"第{_numeral(min(count, 900))}条说什么", at=NOW)
        )
        return time.perf_counter() - start, quiet, busy, reply.text

    took, quiet, busy, text = asyncio.run(run())
    found = f"编号为{min(count, 900)}的" in text
    print(
        f"{count} clauses, from the command to an answer in a running service: {took:.1f} s"
        + ("" if found else " (NOT FOUND)")
    )
    if watched:
        p = [float(np.percentile(s, 95)) for s in (quiet, busy)]
        print(f"  p95 of a turn: {p[0]:.1f} ms before, {p[1]:.1f} ms while importing ({p[1] / p[0]:.2f} times)")
    Importing(settings, texts(), pack=knowledge.base, encoder=knowledge.encoder).remove(f"speed-{count}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--data", type=Path, help="a data folder whose index saves the encoding of the pack")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if given.data:
            shutil.copytree(given.data / "index", folder / "index")
        settings = Settings(data_dir=folder, _env_file=None)  # type: ignore[call-arg]
        importing = Importing(settings, texts())
        importing.add(DATA / "made_up_measures.txt", kind="measures", now=NOW)
        knowledge = load_knowledge(settings)
        count = sum(len(e["asked"]) for e in questions())
        print(f"clauses of the made-up regulation: {len(_clauses(knowledge, 'measures'))}, questions: {count}")
        rows = {
            "plain BM25": plain_bm25(knowledge, "measures"),
            "plain Chroma": plain_chroma(knowledge, "measures", folder / "plain"),
            "ours": ours(knowledge, "measures"),
        }
        measured = {name: measure(knowledge, search) for name, search in rows.items()}
        bars = bar(knowledge)
        for entry in questions():
            importing.library.ask("measures", entry["clauses"][0], entry["samples"])
        knowledge = load_knowledge(settings)
        measured["ours, with sample questions"] = measure(knowledge, ours(knowledge, "measures"))
        print(f"{'':30}{'hit@1':>8}{'hit@3':>8}{'ms':>8}")
        for name, (first, three, spent) in measured.items():
            print(f"{name:30}{first:8.3f}{three:8.3f}{spent:8.2f}")
        print(bars)
        print("with sample questions, " + bar(knowledge))
        importing.remove("measures")
        speed(settings, 200, watched=False)
        if given.large:
            speed(settings, 5000, watched=True)


if __name__ == "__main__":
    main()
