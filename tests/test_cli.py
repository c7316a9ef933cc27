"""The command `qtic` as a person runs it: wrong use and broken surroundings are said in one line, exit code 2, no traceback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from knowledge.loading import PACKS

ROOT = Path(__file__).resolve().parent.parent
Run = subprocess.CompletedProcess[str]


def environment(data: Path, **more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "LC_ALL")}
    return kept | {"PYTHONPATH": str(ROOT), "DATA_DIR": str(data), "COLUMNS": "200", "PYTHONIOENCODING": "utf-8"} | more


def qtic(*arguments: str, data: Path, cwd: Path, stdin: str = "", **more: str) -> Run:
    return subprocess.run(
        [sys.executable, "-m", "bot.cli", *arguments],
        cwd=cwd,
        env=environment(data, **more),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def says_no(done: Run, *words: str) -> None:
    """One line that names what is wrong, exit code 2, no traceback."""
    assert done.returncode == 2, done.stdout + done.stderr
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1 and lines[0].startswith("qtic: "), done.stderr
    for word in words:
        assert word in lines[0], lines[0]


@pytest.fixture(scope="session")
def data(knowledge: object, data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with nothing but an index that is in step (its building is tested elsewhere)."""
    folder = tmp_path_factory.mktemp("data")
    shutil.copytree(data_dir / "index", folder / "index")
    return folder


@pytest.mark.parametrize("now", ["tomorrow", "2026-13-01", "2026-03-30T25:00", "", "30.3.2026"])
def test_a_time_that_is_none_is_said_with_one_that_is(now: str, data: Path, tmp_path: Path) -> None:
    says_no(qtic("ask", "自评什么时候做", "--now", now, data=data, cwd=tmp_path), "--now", "2026-03-30T10:00:00+08:00")


@pytest.mark.parametrize("arguments", [("ask",), ("ask", ""), ("ask", "--json")])
def test_a_missing_question_is_said_with_an_example(arguments: tuple[str, ...], data: Path, tmp_path: Path) -> None:
    says_no(qtic(*arguments, data=data, cwd=tmp_path), "qtic ask")


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("not json", "第2行"),
        ("[]", "第2行"),
        ('{"id": "a"}', "turns"),
        ('{"id": "a", "turns": []}', "turns"),
        ('{"id": "a", "now": "soon", "turns": ["x"]}', "soon"),
    ],
)
@pytest.mark.parametrize("command", [("ask", "--jsonl"), ("eval",)])
def test_an_unreadable_line_of_a_question_set_is_named(
    command: tuple[str, ...], line: str, word: str, data: Path, tmp_path: Path
) -> None:
    cases = tmp_path / "cases.jsonl"
    cases.write_text(
        '{"id": "ok", "now": "2026-03-30T10:00:00+08:00", "turns": ["自评什么时候做"]}\n' + line + "\n", "utf-8"
    )
    says_no(qtic(*command, str(cases), data=data, cwd=tmp_path), "cases.jsonl", "第2行", word)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\xff"])
def test_a_question_set_that_is_missing_or_no_text_is_named(content: bytes | None, data: Path, tmp_path: Path) -> None:
    cases = tmp_path / "cases.jsonl"
    if content is not None:
        cases.write_bytes(content)
    says_no(qtic("ask", "--jsonl", str(cases), data=data, cwd=tmp_path), "cases.jsonl")


def test_a_half_written_pack_is_named_with_file_and_line(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pack"
    shutil.copytree(PACKS / "qingdao-tic-2026", folder)
    facts = (folder / "facts.yaml").read_text("utf-8")
    (folder / "facts.yaml").write_text(facts[: facts.index("who: [officer]") + 10], "utf-8")
    says_no(qtic("ask", "自评什么时候做", data=data, cwd=tmp_path, PACK=str(folder)), "facts.yaml", "line")


def test_an_unknown_pack_and_a_wrong_setting_are_said(data: Path, tmp_path: Path) -> None:
    says_no(
        qtic("ask", "自评什么时候做", data=data, cwd=tmp_path, PACK="qingdao-tic-2099"),
        "qingdao-tic-2099",
        "qingdao-tic-2026",
    )
    says_no(qtic("ask", "自评什么时候做", data=data, cwd=tmp_path, PORT="eighty"), "PORT='eighty'")


def test_a_data_folder_that_cannot_be_written_stops_a_conversation_that_would_be_lost(
    data: Path, tmp_path: Path
) -> None:
    """A folder stands where the database should be: that stops root too."""
    own = tmp_path / "own"
    shutil.copytree(data, own)
    (own / "qtic.db").mkdir()
    done = qtic("chat", data=own, cwd=tmp_path, stdin="网上申报什么时候截止\n")
    says_no(done, "DATA_DIR")
    assert "4月7日" not in done.stdout


def test_a_data_folder_that_is_a_file_is_named_and_left_as_it_is(tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file", "utf-8")
    says_no(qtic("ask", "网上申报什么时候截止", data=blocked, cwd=tmp_path), "blocked")
    assert blocked.read_text("utf-8") == "a file"


def test_an_answer_as_text_and_as_json_is_the_same_and_names_its_clause(data: Path, tmp_path: Path) -> None:
    at = "2026-03-30T10:00:00+08:00"
    text = qtic("ask", "网上申报什么时候截止", "--now", at, data=data, cwd=tmp_path)
    assert text.returncode == 0 and "4月7日" in text.stdout and "五（三）" in text.stdout and text.stderr == ""
    reply = json.loads(qtic("ask", "网上申报什么时候截止", "--now", at, "--json", data=data, cwd=tmp_path).stdout)
    assert reply["status"] == "answered" and "还剩8天" in reply["reply"]
    assert "五（三）" in {c["clause"] for c in reply["citations"]}


def test_a_question_set_is_answered_line_by_line_at_its_own_day_and_nothing_is_written(
    data: Path, tmp_path: Path
) -> None:
    cases = tmp_path / "cases.jsonl"
    rows = [
        {"id": "a", "now": "2026-04-07T10:00:00+08:00", "turns": ["网上申报什么时候截止"]},
        {"id": "b", "now": "2026-04-08T10:00:00+08:00", "turns": ["网上申报什么时候截止"]},
        {"id": "c", "now": "2026-04-01T10:00:00+08:00", "turns": ["2022年第二批要参加吗", "不对，我是第一批的"]},
    ]
    cases.write_text("\n".join(json.dumps(r, ensure_ascii=False) for r in rows) + "\n\n", "utf-8")
    before = sorted(p.name for p in data.iterdir())
    done = qtic("ask", "--jsonl", str(cases), data=data, cwd=tmp_path)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [a["id"] for a in answers] == ["a", "b", "c"]
    assert all({"id", "reply", "status", "citations", "ticket"} <= set(a) for a in answers)
    assert (
        "最后一天" in answers[0]["reply"]
        and "已于4月7日截止" in answers[1]["reply"]
        and "2022年第1批" in answers[2]["reply"]
    )
    assert sorted(p.name for p in data.iterdir()) == before and not list(data.glob("*.db*")), (
        "the live database is not touched"
    )


def test_a_question_set_is_scored_group_by_group(data: Path, tmp_path: Path) -> None:
    cases = tmp_path / "cases.jsonl"
    base = {
        "now": "2026-04-01T10:00:00+08:00",
        "turns": ["网上申报什么时候截止"],
        "tags": ["single"],
        "cite": ["申报单位须于系统申报开放时间"],
    }
    rows = [
        {"id": "good", "expect": "answered", "must": [["4月7日"]], **base},
        {"id": "bad", "expect": "unanswered", **base},
    ]
    cases.write_text("\n".join(json.dumps(r, ensure_ascii=False) for r in rows), "utf-8")
    out = qtic("eval", str(cases), data=data, cwd=tmp_path).stdout
    assert (
        "cases 2" in out
        and "1/2" in out
        and "expected unanswered, got answered: 1" in out
        and "bad status answered" in out
    )


def test_a_conversation_in_the_terminal_takes_numbers_shows_sources_and_ends_with_the_input(
    data: Path, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    shutil.copytree(data, own)
    done = qtic(
        "chat",
        "--now",
        "2026-04-01T10:00:00+08:00",
        data=own,
        cwd=tmp_path,
        stdin="依据\n网上申报什么时候截止\n依据\n/eligibility\n1\n99\n\n",
    )
    assert done.returncode == 0, done.stderr
    assert "上一条没有引用条款" in done.stdout
    assert "申报单位须于系统申报开放时间（3月26日至4月7日）内完成在线申报提交" in done.stdout
    assert "升级为省技术创新中心了吗" in done.stdout and "没有收到文字" in done.stdout
    assert (own / "qtic.db").exists() and "Traceback" not in done.stderr


def test_two_processes_starting_at_once_on_one_fresh_data_folder_both_answer(data: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    shutil.copytree(data, own)
    both = [
        subprocess.Popen(
            [sys.executable, "-m", "bot.cli", "chat", "--now", "2026-04-01T10:00:00+08:00"],
            cwd=tmp_path,
            env=environment(own),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in both:
        out, err = process.communicate("网上申报什么时候截止\n", timeout=200)
        assert process.returncode == 0, err
        assert "4月7日" in out


def test_a_declined_question_is_filed_under_the_number_told_and_the_answer_alone_is_printed(
    data: Path, tmp_path: Path
) -> None:
    said = json.loads(qtic("ask", "评上优秀有奖金吗", "--json", data=data, cwd=tmp_path).stdout)
    assert said["status"] == "unanswered" and said["ticket"] in said["reply"]
    again = json.loads(qtic("ask", "评上优秀有奖金吗", "--json", data=data, cwd=tmp_path).stdout)
    assert again["ticket"] == said["ticket"], "the same question joins the open ticket"
