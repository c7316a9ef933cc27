"""The index finds by meaning and by words, stays in step with its records, and survives damage.

The records are made up for these tests.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from knowledge.encoder import Encoder, Vectors, load_encoder
from knowledge.index import Index, Kind, Record, SyncReport, open_index, sync
from knowledge.index.lexical import Lexicon, segments
from knowledge.index.snapshot import Snapshot

SAMPLES = {
    "self_evaluation.when": ["自评截止到哪天", "单位自评什么时候完成"],
    "report.seal": ["报告首页要盖章吗", "绩效评价报告谁盖公章"],
    "contacts.business": ["业务咨询打哪个电话", "找谁咨询业务"],
}
CLAUSES = {
    "notice:四（一）": "单位自评（3月26日-4月7日）。由主管部门组织主管的技术创新中心开展自评",
    "notice:五（二）2": "编写绩效评价报告，牵头建设单位在首页盖章，扫描成PDF版本上传",
    "notice:七（一）": "业务咨询 科技创新平台建设管理处 85911337",
}


def made_up_records() -> list[Record]:
    samples = [
        Record(f"sample:{topic}:{i}", Kind.SAMPLE, topic, text)
        for topic, texts in SAMPLES.items()
        for i, text in enumerate(texts)
    ]
    return samples + [Record(f"clause:{ref}", Kind.CLAUSE, ref, text) for ref, text in CLAUSES.items()]


class Counting:
    """An encoder that counts what it encodes, over the bundled one."""

    def __init__(self, inner: Encoder, fingerprint: str | None = None) -> None:
        self._inner = inner
        self.name = inner.name
        self.dimension = inner.dimension
        self.fingerprint = fingerprint or inner.fingerprint
        self.texts: list[str] = []

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        self.texts += texts
        return self._inner.encode_queries(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        self.texts += texts
        return self._inner.encode_passages(texts)


@pytest.fixture(scope="module")
def bundled() -> Encoder:
    return load_encoder(None)


@pytest.fixture
def encoder(bundled: Encoder) -> Counting:
    return Counting(bundled)


def ask(index: Index, encoder: Encoder, question: str) -> tuple[str, str]:
    """The best topic and the best clause."""
    hits = index.search(encoder.encode_queries([question])[0], question)
    return hits.topics[0].ref, hits.clauses[0].ref


def test_a_question_finds_its_topic_and_its_clause(encoder: Counting, tmp_path: Path) -> None:
    index, _ = open_index(made_up_records(), encoder, tmp_path)
    assert ask(index, encoder, "自评最晚到几号") == ("self_evaluation.when", "notice:四（一）")
    assert ask(index, encoder, "报告首页盖谁的章") == ("report.seal", "notice:五（二）2")
    assert ask(index, encoder, "业务上的事问谁") == ("contacts.business", "notice:七（一）")


def test_hits_are_ordered_and_a_record_can_be_left_out(encoder: Counting, tmp_path: Path) -> None:
    index, _ = open_index(made_up_records(), encoder, tmp_path)
    vector = encoder.encode_queries(["自评截止到哪天"])[0]
    hits = index.search(vector, "自评截止到哪天")
    assert [hit.score for hit in hits.topics] == sorted((hit.score for hit in hits.topics), reverse=True)
    assert hits.topics[0].record.id == "sample:self_evaluation.when:0"
    assert hits.topics[0].similarity == pytest.approx(1, abs=0.001)
    assert len({hit.ref for hit in hits.topics}) == len(SAMPLES)
    without = index.search(vector, "自评截止到哪天", without=["sample:self_evaluation.when:0"])
    assert without.topics[0].record.id == "sample:self_evaluation.when:1"


def test_a_second_sync_changes_nothing_and_encodes_nothing(encoder: Counting, tmp_path: Path) -> None:
    records = made_up_records()
    assert sync(records, encoder, tmp_path) == SyncReport(created=9, encoded=9, rebuilt=True)
    encoder.texts.clear()
    assert sync(records, encoder, tmp_path) == SyncReport(skipped=9)
    assert encoder.texts == []


def test_changed_new_and_removed_records_are_followed_one_by_one(encoder: Counting, tmp_path: Path) -> None:
    records = made_up_records()
    open_index(records, encoder, tmp_path)
    encoder.texts.clear()
    changed = replace(records[-1], text="业务咨询 电话改了")
    added = Record("clause:notice:七（二）", Kind.CLAUSE, "notice:七（二）", "技术咨询 联系电话：85912992")
    index, report = open_index([*records[1:-1], changed, added], encoder, tmp_path)
    assert report == SyncReport(created=1, updated=1, deleted=1, skipped=7, encoded=2)
    assert sorted(encoder.texts) == sorted([changed.text, added.text])
    assert {record.id for record in index.records} == {r.id for r in [*records[1:], added]}
    assert sync([*records[1:-1], changed, added], encoder, tmp_path) == SyncReport(skipped=9)


def test_a_sample_moved_to_another_topic_is_updated_without_encoding(encoder: Counting, tmp_path: Path) -> None:
    records = made_up_records()
    open_index(records, encoder, tmp_path)
    encoder.texts.clear()
    index, report = open_index([replace(records[0], ref="moved.topic"), *records[1:]], encoder, tmp_path)
    assert report == SyncReport(updated=1, skipped=8)
    assert encoder.texts == []
    assert ask(index, encoder, records[0].text)[0] == "moved.topic"


def test_another_encoder_indexes_again_by_itself(
    encoder: Counting, bundled: Encoder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    records = made_up_records()
    open_index(records, encoder, tmp_path)
    other = Counting(bundled, fingerprint="other weights")
    assert open_index(records, other, tmp_path)[1] == SyncReport(created=9, encoded=9, rebuilt=True)
    assert "indexing again" in caplog.text


def _cut_snapshot(folder: Path) -> None:
    with (folder / "snapshot.npz").open("r+b") as file:
        file.truncate(500)


def _scribble_store(folder: Path) -> None:
    (folder / "chroma" / "chroma.sqlite3").write_bytes(b"not a database" * 100)


def _damage_inside(folder: Path) -> None:
    """The header stays, so that only opening the database shows it; the snapshot is stale as well."""
    path = folder / "chroma" / "chroma.sqlite3"
    content = bytearray(path.read_bytes())
    content[100:] = b"\xff" * (len(content) - 100)
    path.write_bytes(bytes(content))
    (folder / "snapshot.npz").unlink()


def _remove_store(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder / "chroma")


@pytest.mark.parametrize("damage", [_cut_snapshot, _scribble_store, _damage_inside, _remove_store])
def test_a_damaged_index_is_built_again_said_in_the_log_and_answers_right(
    damage: object, encoder: Counting, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    records = made_up_records()
    open_index(records, encoder, tmp_path)
    assert callable(damage)
    damage(tmp_path / "index")
    index, _ = open_index(records, encoder, tmp_path)
    assert ask(index, encoder, "自评最晚到几号") == ("self_evaluation.when", "notice:四（一）")
    assert "again" in caplog.text
    assert sync(records, encoder, tmp_path) == SyncReport(skipped=9)


def test_a_folder_that_cannot_be_written_still_answers_and_the_report_says_so(
    encoder: Counting, tmp_path: Path
) -> None:
    (tmp_path / "data").write_text("a file where the folder should be", encoding="utf-8")
    index, report = open_index(made_up_records(), encoder, tmp_path / "data")
    assert "cannot be written" in report.problems[0]
    assert ask(index, encoder, "报告首页盖谁的章")[0] == "report.seal"


def test_a_server_that_does_not_answer_stops_nothing_and_is_tried_again(encoder: Counting, tmp_path: Path) -> None:
    records = made_up_records()
    for _ in range(2):
        index, report = open_index(records, encoder, tmp_path, "http://127.0.0.1:9")
        assert "127.0.0.1:9" in report.problems[0]
        assert ask(index, encoder, "报告首页盖谁的章")[0] == "report.seal"
    assert len(encoder.texts) == len(records) + 2


def test_a_snapshot_that_a_pack_ships_saves_the_encoding(encoder: Counting, tmp_path: Path) -> None:
    records = made_up_records()
    open_index(records, encoder, tmp_path / "one")
    encoder.texts.clear()
    seed = tmp_path / "one" / "index" / "snapshot.npz"
    assert open_index(records, encoder, tmp_path / "two", seed=seed)[1].created == 9
    assert encoder.texts == []


def test_two_records_of_one_id_are_an_error(encoder: Counting, tmp_path: Path) -> None:
    records = made_up_records()
    with pytest.raises(ValueError, match=r"sample:report\.seal:0"):
        open_index([*records, replace(records[2], text="别的")], encoder, tmp_path)


def test_no_records_give_an_empty_index(encoder: Counting, tmp_path: Path) -> None:
    index, _ = open_index([], encoder, tmp_path)
    hits = index.search(encoder.encode_queries(["自评"])[0], "自评")
    assert hits.topics == () and hits.clauses == ()


_QUICK = """
import sys
from pathlib import Path
from knowledge.encoder import load_encoder
from knowledge.index import open_index
from tests.test_index import made_up_records
_, report = open_index(made_up_records(), load_encoder(None), Path(sys.argv[1]))
heavy = {"chromadb", "bm25s", "langchain_core", "torch"} & set(sys.modules)
print(report.created, report.skipped, sorted(heavy))
"""


def test_a_start_without_changes_opens_no_chroma(encoder: Counting, tmp_path: Path) -> None:
    open_index(made_up_records(), encoder, tmp_path)
    done = subprocess.run([sys.executable, "-c", _QUICK, str(tmp_path)], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "0 9 []"


def test_two_processes_starting_at_once_build_one_index(encoder: Counting, tmp_path: Path) -> None:
    started = [
        subprocess.Popen(
            [sys.executable, "-c", _QUICK, str(tmp_path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    outputs = sorted(process.communicate(timeout=100)[0].split(" ")[:2] for process in started)
    assert [process.returncode for process in started] == [0, 0]
    assert outputs == [["0", "9"], ["9", "0"]]
    assert sync(made_up_records(), encoder, tmp_path) == SyncReport(skipped=9)


def test_a_snapshot_that_cannot_be_written_leaves_the_older_one(
    encoder: Counting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = made_up_records()
    open_index(records, encoder, tmp_path)
    path = tmp_path / "index" / "snapshot.npz"
    before = path.read_bytes()

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    _, report = open_index(records[1:], encoder, tmp_path)
    assert "No space left" in report.problems[0]
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.glob("*.part")] == []


def test_a_snapshot_gives_back_what_was_saved(tmp_path: Path) -> None:
    lexicons = {kind: Lexicon.build(["自评截止到哪天", "报告盖章"]) for kind in Kind}
    vectors = np.eye(4, 3, dtype=np.float32)
    keys = ["00" * 16, "ab" * 15 + "00", "cd" * 16, "ef" * 16]
    Snapshot("records", "weights", keys, vectors, lexicons).save(tmp_path / "s.npz")
    loaded = Snapshot.load(tmp_path / "s.npz")
    assert loaded is not None
    assert (loaded.records, loaded.fingerprint, list(loaded.keys)) == ("records", "weights", keys)
    assert np.array_equal(loaded.vectors, vectors)
    words = segments("自评截止")
    for kind in Kind:
        assert np.allclose(loaded.lexicons[kind].scores(words), lexicons[kind].scores(words), atol=0.001)


def test_words_that_a_text_has_count_and_strange_words_lower_the_agreement() -> None:
    lexicon = Lexicon.build(["自评截止到哪天", "报告首页盖章", "联系电话"])
    about, aside = lexicon.scores(segments("报告盖章")), lexicon.scores(segments("报告盖章恐龙火箭"))
    assert int(about.argmax()) == 1 and 0 < about[1] <= 1
    assert aside[1] < about[1]
    assert not lexicon.scores(segments("恐龙")).any()
    assert not Lexicon.build(["", "！"]).scores(["自评"]).any()


def test_the_retriever_gives_clauses_as_documents(encoder: Counting, tmp_path: Path) -> None:
    from knowledge.index.retriever import ClauseRetriever

    index, _ = open_index(made_up_records(), encoder, tmp_path)
    documents = ClauseRetriever(index=index, encoder=encoder, k=2).invoke("報告首頁要蓋章嗎")
    assert len(documents) == 2
    assert documents[0].metadata["clause"] == "notice:五（二）2"
    assert documents[0].page_content == CLAUSES["notice:五（二）2"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A real Chroma server on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = str(Path(sys.executable).with_name("chroma"))
    arguments = ["run", "--path", str(tmp_path / "server"), "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen([command, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        for _ in range(200):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
        process.terminate()


def test_a_second_replica_takes_its_vectors_from_the_server(encoder: Counting, tmp_path: Path, server: str) -> None:
    records = made_up_records()
    assert open_index(records, encoder, tmp_path / "one", server)[1].created == 9
    encoder.texts.clear()
    index, report = open_index(records, encoder, tmp_path / "two", server)
    assert report == SyncReport(skipped=9)
    assert encoder.texts == []
    assert ask(index, encoder, "报告首页盖谁的章")[0] == "report.seal"
    assert not (tmp_path / "two" / "index" / "chroma").exists()
