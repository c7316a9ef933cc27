"""Documents brought in by an operator: whole or not at all, live at once, answered from by name, number and subject.

The regulation and everything else in here is made up for the tests.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path

import pytest

from bot.assistant import Assistant
from bot.bootstrap import Knowledge, live_knowledge, load_knowledge, make_assistant
from bot.importing import Importing
from bot.keeping import MemoryKeeper
from bot.messages import Reason, Status
from bot.settings import Settings
from bot.texts import Texts
from knowledge.documents import Library, LibraryError, preview
from knowledge.loading import Pack
from knowledge.readers import Limits, Problem, ReaderError
from tests.conftest import say
from tests.making_files import MEASURES, measures, pdf_file, web_page, word_file

NOW = datetime.fromisoformat("2026-03-30T10:00:00+08:00")
DAY = NOW.date()
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def settings(tmp_path: Path, knowledge: Knowledge, data_dir: Path) -> Settings:
    """A data folder of the test's own, with the index of the pack in it already."""
    shutil.copytree(data_dir / "index", tmp_path / "data" / "index")
    return Settings(data_dir=tmp_path / "data", _env_file=None)  # type: ignore[call-arg]


@pytest.fixture
def importing(settings: Settings, knowledge: Knowledge, all_texts: Texts) -> Importing:
    return Importing(settings, all_texts, pack=knowledge.base, encoder=knowledge.encoder)


@pytest.fixture
def library(settings: Settings, pack: Pack) -> Library:
    return Library(settings.data_dir, pack.info.id)


@pytest.fixture
def loaded(settings: Settings, knowledge: Knowledge) -> Iterator[Callable[[], Assistant]]:
    """An assistant over the data folder as it is when called."""

    def make() -> Assistant:
        return make_assistant(load_knowledge(settings, knowledge.base), MemoryKeeper(), all_texts_of())

    yield make


def all_texts_of() -> Texts:
    from bot.texts import texts

    return texts()


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(f"（为测试编造的文件，不是任何机关发布的规定）\n{text}", "utf-8")
    return path


AMENDMENT = """关于修改《测试市示范平台管理办法》的决定
一、将第八条修改为：“公示期为十五日。”
二、本决定自2026年3月1日起施行。
"""


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("办法.txt", MEASURES.read_bytes()),
        ("办法-gb.txt", MEASURES.read_text("utf-8").encode("gb18030")),
        ("办法.md", MEASURES.read_bytes()),
        ("办法.docx", word_file(measures())),
        ("办法.html", web_page(measures())),
        ("办法.pdf", pdf_file(measures())),
    ],
)
def test_the_same_regulation_in_any_format_becomes_the_same_clauses(
    name: str, content: bytes, tmp_path: Path, library: Library, pack: Pack
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    added = library.add(path, kind="measures", now=NOW, declared=pack.documents)
    expected = preview(MEASURES, "measures").clauses
    assert [(c.path, "".join(c.text.split())) for c in added.preview.clauses] == [
        (c.path, "".join(c.text.split())) for c in expected
    ]
    assert (added.document.id, added.document.leftovers, added.document.clauses) == ("measures", 0, len(expected))
    assert library.get("measures").clauses == added.preview.clauses


def test_the_import_says_how_many_clauses_and_that_nothing_is_left_over(importing: Importing) -> None:
    _, report = importing.add(MEASURES, kind="measures", now=NOW)
    assert "41个条款，剩余0个字符" in report.head
    assert "测试市示范平台管理办法" in report.remarks[0], "a title that is not the declared one is said"


def test_a_preview_changes_nothing(importing: Importing, settings: Settings) -> None:
    clauses, report = importing.preview(MEASURES)
    assert len(clauses) == 41
    assert "预览" in report.head
    assert not (settings.data_dir / "documents").exists()


def test_the_same_file_twice_changes_nothing_and_an_edited_one_replaces_it(
    importing: Importing, library: Library, tmp_path: Path
) -> None:
    importing.add(MEASURES, kind="measures", now=NOW)
    before = library.revision()
    again, report = importing.add(MEASURES, kind="measures", now=NOW)
    assert not again.changed
    assert library.revision() == before
    assert "没有变化" in report.head
    edited = tmp_path / "办法.txt"
    edited.write_text(MEASURES.read_text("utf-8").replace("公示期为七日", "公示期为九日"), "utf-8")
    newer, report = importing.add(edited, kind="measures", now=NOW)
    assert newer.document.id == "measures"
    assert any("改动1条" in r for r in report.remarks)
    assert [d.id for d in library.documents()] == ["measures"]
    assert len([p for p in library.folder.iterdir() if p.is_dir()]) == 1, "the old reading is tidied away"


async def test_a_document_answers_in_a_running_assistant_from_the_next_turn_on_and_no_more_when_removed(
    settings: Settings, knowledge: Knowledge, importing: Importing, all_texts: Texts
) -> None:
    running = make_assistant(
        live_knowledge(settings, load_knowledge(settings, knowledge.base)), MemoryKeeper(), all_texts
    )
    assert (await say(running, "办法第十条怎么写的", NOW)).status is Status.UNANSWERED
    await asyncio.to_thread(importing.add, MEASURES, kind="measures", now=NOW)
    reply = await say(running, "办法第十条怎么写的", NOW)
    assert reply.status is Status.ANSWERED
    assert "有效期届满的，应当重新申请" in reply.text
    assert reply.citations[0].clause == "第十条"
    await asyncio.to_thread(importing.remove, "measures")
    assert (await say(running, "办法第十条怎么写的", NOW)).status is Status.UNANSWERED


@pytest.mark.parametrize(
    ("question", "said", "paths"),
    [
        ("第十二条说什么", "合并、分立的，应当重新申请认定", ["第十二条第一款", "第十二条第二款", "第十二条第三款"]),
        ("《办法》第12条第2款", "应当重新申请认定", ["第十二条第二款"]),
        ("第四条第（二）项是什么", "有专职的人员", ["第四条（二）", "第四条（二）1", "第四条（二）2"]),
        ("《办法》第三章讲什么", "由测试局解释", ["第三章", "第十三条", "第十四条"]),
        ("《办法》对认定的有效期是怎么规定的", "三年", None),
        ("《办法》第九十条怎么写", "没有第九十条**，最后一条是第十四条", None),
    ],
)
async def test_a_clause_is_quoted_by_its_number_and_by_its_subject(
    question: str, said: str, paths: list[str] | None, importing: Importing, loaded: Callable[[], Assistant]
) -> None:
    importing.add(MEASURES, kind="measures", now=NOW)
    reply = await say(loaded(), question, NOW)
    assert reply.status is Status.ANSWERED
    assert said in reply.text
    if paths is not None:
        assert [c.clause for c in reply.citations] == paths


async def test_a_question_that_no_topic_knows_is_answered_from_the_clause_that_says_it(
    importing: Importing, loaded: Callable[[], Assistant]
) -> None:
    importing.add(MEASURES, kind="measures", now=NOW)
    reply = await say(loaded(), "示范平台变更负责人应当几日内报告", NOW)
    assert (reply.status, reply.citations[0].clause) == (Status.ANSWERED, "第十二条第一款")


async def test_what_only_the_measures_say_is_tried_against_them_and_else_declined_without_saying_they_are_missing(
    importing: Importing, loaded: Callable[[], Assistant], pack: Pack, tmp_path: Path
) -> None:
    topic = pack.topics["measures.valid"]
    before = await say(loaded(), topic.samples[0], NOW)
    assert before.status is Status.UNANSWERED
    assert "不在资料库里" in before.text
    path = write(
        tmp_path,
        "办法.txt",
        "测试市办法\n第一条 本办法施行日期、有效期：自公布之日起施行，有效期五年，没有修订过。\n第二条 茶水自理。",
    )
    importing.add(path, kind="measures", now=NOW)
    assistant = loaded()
    for topic in pack.topics.values():
        if topic.reason == "only_measures":
            reply = await say(assistant, "", NOW, choice=f"t:{topic.id}")
            assert "不在资料库里" not in reply.text, topic.id


async def test_a_superseded_clause_is_never_quoted_without_saying_so(
    importing: Importing, loaded: Callable[[], Assistant], tmp_path: Path
) -> None:
    importing.add(MEASURES, kind="measures", now=NOW)
    path = write(tmp_path, "决定.txt", AMENDMENT)
    added, _ = importing.add(path, kind="amendment", now=NOW, effective=date(2026, 3, 1), supersedes=["measures"])
    assert added.document.supersedes == ("measures:第八条",), "an amendment replaces what it names, not the whole"
    assistant = loaded()
    for question in ("第八条说什么", "公示期多长"):
        reply = await say(assistant, question, NOW)
        assert reply.status is Status.ANSWERED
        assert "十五日" in reply.text
        assert reply.text.index("十五日") < reply.text.index("七日"), "what holds comes first"
        assert "已被" in reply.text
    untouched = await say(assistant, "第九条说什么", NOW)
    assert "已被" not in untouched.text


async def test_an_amendment_that_does_not_hold_yet_replaces_nothing(
    importing: Importing, loaded: Callable[[], Assistant], tmp_path: Path
) -> None:
    importing.add(MEASURES, kind="measures", now=NOW)
    importing.add(
        write(tmp_path, "决定.txt", AMENDMENT),
        kind="amendment",
        now=NOW,
        effective=date(2027, 1, 1),
        supersedes=["measures"],
    )
    reply = await say(loaded(), "第八条说什么", NOW)
    assert "已被" not in reply.text
    assert "七日" in reply.text


async def test_two_documents_that_contradict_each_other_are_both_shown_the_governing_first_and_staff_are_told(
    importing: Importing, loaded: Callable[[], Assistant], tmp_path: Path
) -> None:
    importing.add(MEASURES, kind="measures", now=NOW)
    importing.add(
        write(tmp_path, "答复.txt", "关于示范平台审查结果公示期的答复\n一、示范平台的公示期为十五日。\n"),
        kind="answers",
        now=NOW,
    )
    reply = await say(loaded(), "公示期多长", NOW)
    assert reply.status is Status.ANSWERED
    assert "不一致" in reply.text
    assert reply.text.index("十五日") < reply.text.index("七日")
    assert reply.reason is Reason.CONFLICT
    assert reply.ticket
    assert reply.ticket in reply.text


async def test_an_answer_of_the_notice_shows_what_the_regulation_says_of_the_same_and_which_governs(
    importing: Importing, loaded: Callable[[], Assistant], tmp_path: Path
) -> None:
    path = write(
        tmp_path,
        "办法.txt",
        "测试市办法\n第一条 团队固定研发人员不低于20人，固定研发人员人数按社保计。\n第二条 茶水自理。",
    )
    importing.add(path, kind="measures", now=NOW)
    reply = await say(loaded(), "固定研发人员不低于多少人", NOW)
    assert reply.status is Status.ANSWERED
    assert "30人" in reply.text
    assert "20人" in reply.text
    assert "以《通知》为准" in reply.text or "先按《通知》" in reply.text


@pytest.mark.parametrize("asks", [True, False])
async def test_sample_questions_lead_to_their_clause(
    asks: bool, importing: Importing, loaded: Callable[[], Assistant]
) -> None:
    importing.add(MEASURES, kind="measures", now=NOW)
    question = "挂牌满几载得换证"
    if asks:
        assert importing.ask("measures", "第十条", [question]) == 1
    reply = await say(loaded(), question, NOW)
    assert (reply.status is Status.ANSWERED and reply.citations[0].clause == "第十条") is asks


def test_sample_questions_stay_with_their_clause_when_a_new_reading_leaves_it_as_it_was(
    importing: Importing, library: Library, tmp_path: Path
) -> None:
    importing.add(MEASURES, kind="measures", now=NOW)
    library.ask("measures", "第九条", ["管几年"])
    library.ask("measures", "第八条", ["公示多久"])
    edited = tmp_path / "办法.txt"
    edited.write_text(MEASURES.read_text("utf-8").replace("公示期为七日", "公示期为九日"), "utf-8")
    importing.add(edited, kind="measures", now=NOW)
    assert library.documents()[0].questions == {"第九条": ("管几年",)}


class Broken(Exception):
    """What the tests make go wrong."""


def test_an_import_that_fails_at_any_step_leaves_the_old_documents(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.add(MEASURES, kind="measures", now=NOW)
    before, revision = library.load(), library.revision()
    edited = tmp_path / "办法.txt"
    edited.write_text(MEASURES.read_text("utf-8").replace("七日", "九日"), "utf-8")

    def fails(*_: object, **__: object) -> None:
        raise Broken

    with pytest.raises(Broken):
        library.add(edited, kind="measures", now=NOW, prepare=fails)
    for step in ("_write_folder", "_write_list"):
        with monkeypatch.context() as patch:
            patch.setattr(Library, step, fails)
            with pytest.raises(Broken):
                library.add(edited, kind="measures", now=NOW)
    assert (library.load(), library.revision()) == (before, revision)
    library.add(edited, kind="measures", now=NOW)
    assert len([p for p in library.folder.iterdir() if p.is_dir()]) == 1


def test_an_import_killed_in_the_middle_leaves_the_old_documents_and_the_next_one_works(
    library: Library, tmp_path: Path, settings: Settings, pack: Pack
) -> None:
    library.add(MEASURES, kind="measures", now=NOW)
    before = library.load()
    edited = tmp_path / "办法.txt"
    edited.write_text(MEASURES.read_text("utf-8").replace("七日", "九日"), "utf-8")
    flag = tmp_path / "reached"
    program = (
        "import sys, time; from datetime import datetime; from pathlib import Path\n"
        "from knowledge.documents import Library\n"
        f"def stuck(stored):\n    Path({str(flag)!r}).touch(); time.sleep(60)\n"
        f"Library(Path({str(settings.data_dir)!r}), {pack.info.id!r}).add(Path({str(edited)!r}), kind='measures',"
        f" now=datetime.fromisoformat({NOW.isoformat()!r}), prepare=stuck)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        end = time.monotonic() + 60
        while not flag.exists():
            assert process.poll() is None and time.monotonic() < end, "the import never got to the middle"
            time.sleep(0.05)
        assert library.load() == before, "while it runs, readers see the old"
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert library.load() == before
    added = library.add(edited, kind="measures", now=NOW)
    assert added.changed
    assert {p.name for p in library.folder.iterdir() if p.is_dir()} == {added.document.folder}, (
        "the rest is tidied away"
    )


def test_while_one_import_runs_another_is_told_to_wait(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knowledge.documents._LOCK_SECONDS", 0.1)

    def second(_: object) -> None:
        with pytest.raises(LibraryError) as told:
            Library(library.folder.parent.parent, library.folder.name).add(MEASURES, kind="answers", now=NOW)
        assert told.value.key == "busy"

    library.add(MEASURES, kind="measures", now=NOW, prepare=second)
    assert [d.id for d in library.documents()] == ["measures"]


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("空.txt", b"", Problem.EMPTY),
        ("图.docx", b"\x89PNG\r\n", Problem.NOT_WHAT_IT_SAYS),
        ("坏.pdf", b"%PDF-1.5\nnothing", Problem.BROKEN),
        ("表.xlsx", b"PK\x03\x04", Problem.UNSUPPORTED),
        ("宏.docm", b"PK\x03\x04", Problem.MACROS),
    ],
)
def test_a_file_that_is_refused_changes_nothing(
    name: str, content: bytes, problem: Problem, library: Library, tmp_path: Path
) -> None:
    library.add(MEASURES, kind="measures", now=NOW)
    revision = library.revision()
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ReaderError) as told:
        library.add(path, kind="answers", now=NOW)
    assert told.value.key is problem
    assert library.revision() == revision


def test_a_pdf_of_200_mb_is_refused_at_once(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "大.pdf"
    with path.open("wb") as file:
        file.write(b"%PDF-1.5\n")
        file.truncate(200 * 1024 * 1024)
    start = time.perf_counter()
    with pytest.raises(ReaderError) as told:
        library.add(path, kind="answers", now=NOW)
    assert told.value.key is Problem.TOO_LARGE
    assert time.perf_counter() - start < 2


def test_a_name_with_a_path_in_it_stays_a_name(library: Library) -> None:
    added = library.add(MEASURES, kind="answers", now=NOW, name="../../../etc/passwd.txt")
    assert added.document.file == "passwd.txt"
    for wrong in ("../x", "a/b", "", "A", "é"):
        with pytest.raises(LibraryError):
            library.add(MEASURES, kind="answers", now=NOW, document_id=wrong)
    assert {p.parent for p in library.folder.iterdir()} == {library.folder}


def test_limits_apply_to_an_import(library: Library) -> None:
    with pytest.raises(ReaderError) as told:
        library.add(MEASURES, kind="measures", now=NOW, limits=Limits(characters=10))
    assert told.value.key is Problem.TOO_LONG


def test_what_is_superseded_must_exist(library: Library) -> None:
    library.add(MEASURES, kind="measures", now=NOW)
    for target in ("nothing", "measures:第九十条"):
        with pytest.raises(LibraryError) as told:
            library.add(MEASURES, kind="answers", now=NOW, supersedes=[target])
        assert told.value.key == "unknown_target"


def test_the_packs_own_notice_cannot_be_overwritten(library: Library, pack: Pack) -> None:
    with pytest.raises(LibraryError) as told:
        library.add(MEASURES, kind="notice", now=NOW, declared=pack.documents, document_id="notice")
    assert told.value.key == "id_taken"


async def test_a_damaged_library_is_said_and_what_was_loaded_goes_on_answering(
    settings: Settings, knowledge: Knowledge, importing: Importing, library: Library, all_texts: Texts
) -> None:
    importing.add(MEASURES, kind="measures", now=NOW)
    running = make_assistant(
        live_knowledge(settings, load_knowledge(settings, knowledge.base)), MemoryKeeper(), all_texts
    )
    (library.folder / "library.json").write_text("{", "utf-8")
    assert "重新申请" in (await say(running, "《办法》第十条怎么写的", NOW)).text
    with pytest.raises(LibraryError) as told:
        load_knowledge(settings, knowledge.base)
    assert told.value.key == "damaged"


def test_every_error_of_the_library_has_its_sentence(all_texts: Texts) -> None:
    source = "".join(
        p.read_text("utf-8") for p in (ROOT / "knowledge" / "documents.py", ROOT / "bot" / "commands" / "documents.py")
    )
    import re

    keys = set(re.findall(r'LibraryError\(\s*"(\w+)"', source))
    assert keys <= set(all_texts.get("documents.errors"))
    assert len(keys) > 8


def test_the_commands_add_list_show_diff_and_remove(settings: Settings, tmp_path: Path) -> None:
    def run(*words: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "bot.cli", "knowledge", *words],
            cwd=ROOT,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "DATA_DIR": str(settings.data_dir)},
            check=False,
        )
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    assert "声明而未导入" in run("list")
    assert "41个条款，剩余0个字符" in run("add", str(MEASURES), "--as", "measures", "--effective", "2024-05-01")
    assert "measures\t办法\t41条" in run("list")
    assert "第四条（一）" in run("show", "measures", "第六条"), "a reference leads to its clauses"
    edited = tmp_path / "新.txt"
    edited.write_text(MEASURES.read_text("utf-8").replace("公示期为七日", "公示期为九日"), "utf-8")
    changed = run("diff", "measures", str(edited))
    assert "改动 第八条" in changed
    assert "九日" in changed
    assert "请写成 2026-05-01" in run("add", str(edited), "--effective", "明天", code=2)
    assert "没有找到文件" in run("add", str(tmp_path / "无.docx"), code=2)
    assert "已移除" in run("remove", "measures")
    assert "没有编号为 measures" in run("remove", "measures", code=2)


def test_the_list_is_plain_json_that_names_everything(importing: Importing, library: Library) -> None:
    importing.add(MEASURES, kind="measures", now=NOW, number="测字〔2024〕1号", effective=date(2024, 5, 1))
    entry = json.loads((library.folder / "library.json").read_text("utf-8"))["documents"][0]
    assert entry["number"] == "测字〔2024〕1号"
    assert entry["effective"] == "2024-05-01"
    assert {"id", "kind", "title", "digest", "added_at"} <= set(entry)
