"""A new round is a copy of the last one that serves nobody before every changed thing is confirmed.

The notice of 2027 in here is made up for the tests: the notice of 2026 with a few places altered.
"""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from knowledge.loading import PACKS, load_pack
from knowledge.pack import PackError
from knowledge.readers import ReaderError
from knowledge.rounds import Review, confirm, new_round

NOW = datetime.fromisoformat("2027-03-01T10:00:00+08:00")
ROOT = Path(__file__).resolve().parent.parent
OLD = PACKS / "qingdao-tic-2026"


@pytest.fixture
def notice(tmp_path: Path) -> Path:
    """The notice of 2026 with another last day of filing, another number of staff, and a clause less."""
    text = (ROOT / "tests" / "data" / "notice-2026.txt").read_text("utf-8")
    for old, new in (
        ("2026年度", "2027年度"),
        ("（3月26日至4月7日）内完成在线申报提交", "（3月26日至4月9日）内完成在线申报提交"),
        ("团队固定研发人员不低于30人", "团队固定研发人员不低于35人"),
        ("3.网上在线提交的附件将作为后续形式审查、绩效评价的依据，牵头建设单位须对所提报材料的真实性负责。", ""),
    ):
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "通知.txt"
    path.write_text(text, "utf-8")
    return path


@pytest.fixture
def folder(notice: Path, tmp_path: Path) -> Path:
    target = tmp_path / "qingdao-tic-2027"
    new_round(2027, OLD, notice, target, [ROOT / "tests" / "questions" / "dev.jsonl"])
    return target


def test_what_rests_on_a_changed_clause_is_marked_and_what_does_not_is_not(folder: Path) -> None:
    items = {i.id: i for i in Review.read(folder).items}
    assert items["fact:filing"].why == "changed"
    assert "4月7日" in items["fact:filing"].was
    assert "4月9日" in items["fact:filing"].now
    assert items["fact:staff_total"].why == "changed"
    assert items["fact:roster"].why == "year", "a date is confirmed even where its words stayed"
    assert "fact:rd_total" not in items
    assert any(i.id.startswith("topic:") for i in items.values())
    assert any(i.id.startswith("step:") and i.why == "removed" for i in items.values())
    assert any(i.id.startswith("question:") for i in items.values())
    kinds = {name.split(":")[0] for name in items}
    assert {"fact", "topic", "step", "question"} <= kinds


def test_every_form_field_whose_clause_changed_is_marked(notice: Path, tmp_path: Path) -> None:
    notice.write_text(notice.read_text("utf-8").replace("\t联系人\n", "\t联络员\n", 1), "utf-8")
    new_round(2027, OLD, notice, tmp_path / "new")
    marked = {i.id for i in Review.read(tmp_path / "new").items}
    assert any(name.startswith("field:centre") for name in marked)


def test_the_new_pack_bears_its_own_year_and_title(folder: Path) -> None:
    text = (folder / "pack.yaml").read_text("utf-8")
    assert "id: qingdao-tic-2027" in text
    assert "year: 2027" in text
    assert "2026" not in text
    assert "关于开展2027年度" in text


def test_a_pack_with_anything_unconfirmed_is_not_served_and_the_sentence_says_what_to_do(folder: Path) -> None:
    with pytest.raises(PackError, match=r"are not confirmed against the new notice.*qtic pack confirm"):
        load_pack(folder)


def test_an_entry_that_still_quotes_the_old_notice_cannot_be_confirmed(folder: Path) -> None:
    with pytest.raises(PackError, match="does not occur"):
        confirm(folder, ["fact:filing"], "测试员", NOW)
    assert "fact:filing" in {i.id for i in Review.read(folder).open}


def test_when_all_is_put_right_and_confirmed_the_new_round_is_served(folder: Path) -> None:
    facts = folder / "facts.yaml"
    text = facts.read_text("utf-8")
    text = text.replace(
        "quote: 申报单位须于系统申报开放时间（3月26日至4月7日）内完成在线申报提交",
        "quote: 申报单位须于系统申报开放时间（3月26日至4月9日）内完成在线申报提交",
    )
    text = text.replace("团队固定研发人员不低于30人", "团队固定研发人员不低于35人")
    facts.write_text(text.replace("2026-", "2027-"), "utf-8")
    for path in [*folder.glob("topics/*.yaml"), folder / "guide.yaml", folder / "form.yaml", folder / "exports.yaml"]:
        path.write_text(
            path.read_text("utf-8")
            .replace("五（二）3, ", "")
            .replace(", 五（二）3", "")
            .replace("[五（二）3]", "[五（二）2]"),
            "utf-8",
        )
    review = Review.read(folder)
    blocked = []
    for item in review.items:
        try:
            confirm(folder, [item.id], "测试员", NOW)
        except PackError:
            blocked.append(item.id)
    # What quotes something else of the changed clauses is put right the same way; here it is taken as it stands.
    if blocked:
        text = facts.read_text("utf-8")
        text = text.replace("2026年度", "2027年度")
        facts.write_text(text, "utf-8")
        for name in blocked:
            confirm(folder, [name], "测试员", NOW)
    pack = load_pack(folder)
    assert pack.info.year == 2027
    assert all(i.confirmed and i.confirmed.startswith("测试员") for i in Review.read(folder).items)


def test_a_round_that_cannot_be_made_leaves_nothing_behind(tmp_path: Path) -> None:
    target = tmp_path / "packs" / "new"
    target.parent.mkdir()
    with pytest.raises(ReaderError):
        new_round(2027, OLD, tmp_path / "missing.docx", target)
    assert list(target.parent.iterdir()) == []
    target.mkdir()
    with pytest.raises(PackError, match="exists already"):
        new_round(2027, OLD, tmp_path / "missing.docx", target)


def test_the_commands_new_review_and_confirm(notice: Path, tmp_path: Path) -> None:
    def run(*words: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "bot.cli", *words],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT), "DATA_DIR": str(tmp_path / "data")},
        )
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    made = run("pack", "new", "2027", "--from", "qingdao-tic-2026", "--notice", str(notice))
    assert "全部确认前不能上线" in made
    assert "4月9日" in run("pack", "review", "qingdao-tic-2027", "--full")
    before = run("pack", "review", "qingdao-tic-2027").splitlines()[0]
    run("pack", "confirm", "qingdao-tic-2027", "fact:roster", "--by", "测试员")
    assert run("pack", "review", "qingdao-tic-2027").splitlines()[0] != before
    assert "does not occur" in run("pack", "confirm", "qingdao-tic-2027", "fact:filing", code=2)
    env = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "DATA_DIR": str(tmp_path / "data"),
        "PACK": str(tmp_path / "data/packs/qingdao-tic-2027"),
    }
    asked = subprocess.run(
        [sys.executable, "-m", "bot.cli", "ask", "自评截止到哪天"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=env,
        check=False,
    )
    assert asked.returncode == 2
    assert "not confirmed" in asked.stderr
