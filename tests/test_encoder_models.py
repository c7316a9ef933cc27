"""`EMBEDDING_MODEL` serves any sentence-transformers model, and the export of a model agrees with it.

The models are made by the tests: random weights, a vocabulary of single characters.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from knowledge.encoder import EncoderError, load_encoder

models = pytest.importorskip("sentence_transformers", reason="needs the extra `models`")
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A two-layer model that knows the characters of one sentence."""
    import torch
    from sentence_transformers.base.modules import Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Split
    from tokenizers.processors import TemplateProcessing
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    torch.manual_seed(3)
    folder = tmp_path_factory.mktemp("small")
    words = ["<pad>", "<unk>", "<s>", "</s>", *dict.fromkeys("自评截止到哪天报告盖章query: passage")]
    tokenizer = Tokenizer(WordLevel({word: i for i, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = Split("", "isolated")
    tokenizer.post_processor = TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 2), ("</s>", 3)])
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>", model_max_length=32
    ).save_pretrained(folder / "bert")
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        pad_token_id=0,
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(folder / "bert")
    transformer = Transformer(str(folder / "bert"), max_seq_length=32)
    model = models.SentenceTransformer(modules=[transformer, Pooling(32, "mean")], device="cpu")
    model.prompts = {"query": "query: ", "document": "passage: "}
    model.save(str(folder / "whole"))
    return folder / "whole"


def test_a_local_model_is_served_with_its_prompts_and_dimension(small: Path) -> None:
    encoder = load_encoder(str(small))
    questions, passages = encoder.encode_queries(["自评", "报告"]), encoder.encode_passages(["自评", "报告"])
    assert questions.shape == (2, 32) == (2, encoder.dimension)
    assert np.allclose(np.linalg.norm(questions, axis=1), 1, atol=1e-4)
    assert not np.allclose(questions, passages)
    assert encoder.fingerprint == load_encoder(str(small)).fingerprint


def test_an_unknown_model_says_what_would_do(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="unset it to use the bundled encoder"):
        load_encoder(str(tmp_path / "nothing"))


def test_the_export_of_a_model_agrees_with_it(small: Path, tmp_path: Path) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("自评截止到哪天\n报告盖章\n", encoding="utf-8")
    command = [sys.executable, str(ROOT / "scripts" / "export_encoder.py"), str(small)]
    subprocess.run([*command, "--output", str(tmp_path / "out"), "--texts", str(texts)], check=True)
    exported, original = load_encoder(str(tmp_path / "out")), load_encoder(str(small))
    cosines = (exported.encode_queries(["自评截止"]) * original.encode_queries(["自评截止"])).sum()
    assert cosines > 0.97
    assert json.loads((tmp_path / "out" / "config.json").read_text(encoding="utf-8"))["dimension"] == 32
    assert "Agreement" in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
