"""The bundled encoder means what it says, costs no torch, and says what to do when it is damaged."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from knowledge.encoder import BUNDLED, Encoder, EncoderError, load_encoder
from knowledge.encoder.embeddings import LangChainEmbeddings
from knowledge.encoder.onnx import OnnxEncoder


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder(None)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the bundled model that a test may damage."""
    return Path(shutil.copytree(BUNDLED, tmp_path / "model"))


def test_vectors_are_unit_rows_in_the_order_of_the_texts(encoder: Encoder) -> None:
    texts = ["自评截止到哪天", "报告要盖章吗", "a", ""]
    vectors = encoder.encode_queries(texts)
    assert vectors.shape == (4, encoder.dimension) and vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)
    assert np.allclose(vectors[1], encoder.encode_queries(["报告要盖章吗"])[0], atol=1e-5)


def test_no_text_gives_no_vector(encoder: Encoder) -> None:
    assert encoder.encode_queries([]).shape == (0, encoder.dimension)


def test_the_same_question_in_other_words_is_nearer_than_another_question(encoder: Encoder) -> None:
    one, same, other = encoder.encode_queries(["自评什么时候截止", "单位自评最晚哪一天完成", "电话打不通怎么办"])
    assert one @ same > one @ other + 0.02


def test_a_question_is_nearer_to_the_clause_that_answers_it(encoder: Encoder) -> None:
    question = encoder.encode_queries(["科研用房要多大面积"])[0]
    answer, other = encoder.encode_passages(
        ["科研用房面积应在1000平方米以上，实验仪器设备原值总和应在1000万元以上", "联系电话：85912992"]
    )
    assert question @ answer > question @ other


def test_a_vector_does_not_depend_on_its_neighbours(encoder: Encoder) -> None:
    """Dynamic quantisation scales by batch; many texts at once must still give each its own vector."""
    texts = [f"第{i}个问题：汇总表{'非常' * (i % 9)}什么时候交" for i in range(70)]
    assert np.allclose(encoder.encode_queries(texts)[5], encoder.encode_queries([texts[5]])[0], atol=1e-5)


def test_a_text_of_ten_thousand_characters_is_cut(encoder: Encoder) -> None:
    vectors = encoder.encode_passages(["自评" * 5000, "自评" * 6000])
    assert np.allclose(vectors[0], vectors[1], atol=1e-5)


def test_loading_the_bundled_encoder_imports_no_torch_and_no_langchain() -> None:
    code = (
        "import sys; from knowledge.encoder import load_encoder; load_encoder(None).encode_queries(['a']); "
        "assert not {'torch', 'sentence_transformers', 'langchain_core', 'chromadb'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_langchain_sees_the_same_vectors(encoder: Encoder) -> None:
    embeddings = LangChainEmbeddings(encoder)
    assert np.allclose(embeddings.embed_query("自评"), encoder.encode_queries(["自评"])[0])
    assert np.allclose(embeddings.embed_documents(["自评", "盖章"]), encoder.encode_passages(["自评", "盖章"]))


def test_an_exported_folder_can_be_named_by_the_setting(copy: Path, encoder: Encoder) -> None:
    assert load_encoder(str(copy)).fingerprint == encoder.fingerprint


def test_the_bundled_files_are_those_of_the_export() -> None:
    OnnxEncoder(BUNDLED).verify()


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_a_file_cut_short_is_named(copy: Path, name: str) -> None:
    with (copy / name).open("r+b") as file:
        file.truncate(1000)
    with pytest.raises(EncoderError, match=rf"{name} has 1000 bytes, expected .*export_encoder"):
        OnnxEncoder(copy)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "config.json"])
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(EncoderError, match=name):
        OnnxEncoder(copy)


def test_a_configuration_without_a_field_names_the_field(copy: Path) -> None:
    config = json.loads((copy / "config.json").read_text(encoding="utf-8"))
    del config["dimension"]
    (copy / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(EncoderError, match="dimension"):
        OnnxEncoder(copy)


def test_bytes_changed_in_place_are_found_by_verifying(copy: Path) -> None:
    with (copy / "tokenizer.json").open("r+b") as file:
        file.write(b" ")
    with pytest.raises(EncoderError):
        OnnxEncoder(copy).verify()


def test_without_the_extra_another_model_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(EncoderError, match=r"some/model needs the extra `models`.*unset EMBEDDING_MODEL"):
        load_encoder("some/model")
