"""Export a sentence-transformers model to the folder that `knowledge.encoder` runs without torch.

    python scripts/export_encoder.py MODEL [--output knowledge/encoder/model] [--texts FILE] [--variant NAME]

MODEL is a sentence-transformers directory or a name on a model hub. Needs the extra `models`. Pooling and
normalisation become part of the graph, so that any pooling a model was trained with stays right, and the
weights become int8 (dynamic quantisation: activations stay float, no calibration data is needed).

Written: `model.onnx`, `tokenizer.json`, `config.json` (name, dimension, prompts, limits, digest) and
`README.md`, the model card with the agreement that was measured between the float model and the export.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process
from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer

DEFAULT_OUTPUT = Path(__file__).resolve().parent.parent / "knowledge" / "encoder" / "model"
MATRICES = ["MatMul", "Gather"]
VARIANTS: dict[str, dict[str, Any]] = {
    "per-tensor": {"per_channel": False, "reduce_range": False},
    "per-channel": {"per_channel": True, "reduce_range": False},
    # Processors without VNNI can overflow 8-bit sums; seven bits are then the more exact choice.
    "per-tensor-7bit": {"per_channel": False, "reduce_range": True},
    "per-channel-7bit": {"per_channel": True, "reduce_range": True},
}
SAMPLE_TEXTS = [
    "自评截止到哪天？",
    "网上申报的系统什么时候关",
    "固定研发人员要多少人",
    "报告首页要盖章吗",
    "年度评价对象为2021年、2022年(第1批)获批建设的技术创新中心，已升级为省技术创新中心的不参加本次绩效评价。",
    "根据《办法》规定，技术创新中心实行定期绩效评价、动态调整的管理制度。",
    "Where do I submit the report?",
]


@dataclass(frozen=True)
class Agreement:
    """How near the export is to the float model: cosine between the two vectors of each text."""

    lowest: float
    mean: float
    milliseconds: float
    megabytes: float


class _Embedding(torch.nn.Module):
    """The whole pipeline (transformer, pooling, dense, normalisation) as ids -> unit vectors."""

    def __init__(self, model: SentenceTransformer) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        features = {"input_ids": input_ids, "attention_mask": attention_mask}
        for module in self.model:
            features = module(features)
        return torch.nn.functional.normalize(features["sentence_embedding"], dim=-1)


def export_float(model: SentenceTransformer, path: Path) -> None:
    """Write the float32 graph with dynamic batch and length."""
    traced = model.tokenizer(["自评截止到哪天", "报告"], padding=True, return_tensors="pt")
    axes = {0: "batch", 1: "tokens"}
    torch.onnx.export(
        _Embedding(model).eval(),
        (traced["input_ids"], traced["attention_mask"]),
        str(path),
        input_names=["input_ids", "attention_mask"],
        output_names=["embedding"],
        dynamic_axes={"input_ids": axes, "attention_mask": axes, "embedding": {0: "batch"}},
        opset_version=17,
        dynamo=False,
    )


def encode(path: Path, tokenizer: Tokenizer, texts: list[str]) -> tuple[np.ndarray, float]:
    """Vectors of `texts` and the median milliseconds of one text, by the exported graph on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    vectors, times = [], []
    for text in texts:
        coded = tokenizer.encode(text)
        start = time.perf_counter()
        feed = {
            "input_ids": np.array([coded.ids], dtype=np.int64),
            "attention_mask": np.array([coded.attention_mask], dtype=np.int64),
        }
        vectors.append(session.run(None, feed)[0][0])
        times.append(time.perf_counter() - start)
    return np.array(vectors), float(np.median(times) * 1000)


def measure(path: Path, tokenizer: Tokenizer, texts: list[str], reference: np.ndarray) -> Agreement:
    """Hold an exported graph against the vectors of the float model."""
    vectors, milliseconds = encode(path, tokenizer, texts)
    cosines = (vectors * reference).sum(axis=1)
    return Agreement(float(cosines.min()), float(cosines.mean()), milliseconds, path.stat().st_size / 1_000_000)


def read_texts(path: Path | None) -> list[str]:
    """The texts to measure agreement on: the lines of `path`, or a few of our own."""
    if path is None:
        return SAMPLE_TEXTS
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line] or SAMPLE_TEXTS


def prompt(model: SentenceTransformer, *names: str) -> str:
    """The first of the named prompts that the model declares; none: the empty text."""
    return next((model.prompts[name] for name in names if model.prompts.get(name)), "")


def card(args: argparse.Namespace, config: dict[str, Any], found: dict[str, Agreement], count: int) -> str:
    """The model card, in Markdown."""
    origin = args.origin.read_text(encoding="utf-8").strip() if args.origin else f"- Exported from `{args.name}`."
    rows = [
        f"| {name} | {a.megabytes:.1f} MB | {a.lowest:.4f} | {a.mean:.4f} | {a.milliseconds:.1f} ms |"
        for name, a in found.items()
    ]
    return "\n".join(
        [
            f"# {config['name']}",
            "",
            "The bundled sentence encoder: ONNX, run by onnxruntime and tokenizers, without torch.",
            "",
            origin,
            f"- {config['dimension']} dimensions, at most {config['max_tokens']} tokens, pooling and L2 "
            "normalisation inside the graph.",
            f"- Prompts: `{config['query_prompt']}` before a question, `{config['passage_prompt']}` before a text.",
            f"- Exported {date.today().isoformat()} by `scripts/export_encoder.py`, variant `{config['variant']}`.",  # noqa: DTZ011
            "",
            f"Agreement with the float model on {count} texts (cosine), one text at a time on one thread:",
            "",
            "| variant | size | lowest | mean | time of one text |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model", help="sentence-transformers directory or hub name")
    parser.add_argument("--output", type=Path, default=DEFAULT_OUTPUT)
    parser.add_argument("--name", help="name in config.json (default: the last part of MODEL)")
    parser.add_argument("--texts", type=Path, help="texts to measure agreement on, one a line")
    parser.add_argument("--origin", type=Path, help="Markdown lines on origin and licence, for the card")
    parser.add_argument("--variant", choices=[*VARIANTS, "best"], default="best")
    args = parser.parse_args()
    args.name = args.name or Path(args.model).resolve().name

    torch.set_num_threads(1)
    model = SentenceTransformer(args.model, device="cpu", model_kwargs={"attn_implementation": "eager"})
    model.float().eval()
    texts = read_texts(args.texts)
    query, passage = prompt(model, "query"), prompt(model, "document", "passage")
    prompted = [query + text if len(text) < 40 else passage + text for text in texts]
    reference = np.asarray(model.encode(prompted, prompt="", normalize_embeddings=True, batch_size=1))

    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        model.tokenizer.save_pretrained(work / "tokenizer")
        tokenizer = Tokenizer.from_file(str(work / "tokenizer" / "tokenizer.json"))
        limit = int(model.max_seq_length or 512)
        tokenizer.no_padding()
        tokenizer.enable_truncation(limit)
        export_float(model, work / "float.onnx")
        found = {"float32": measure(work / "float.onnx", tokenizer, prompted, reference)}
        if found["float32"].lowest < 0.9999:
            print("the float export does not agree with the model:", found["float32"], file=sys.stderr)
            return 1
        quant_pre_process(str(work / "float.onnx"), str(work / "prepared.onnx"), skip_symbolic_shape=True)
        names = list(VARIANTS) if args.variant == "best" else [args.variant]
        for name in names:
            quantize_dynamic(
                work / "prepared.onnx",
                work / f"{name}.onnx",
                op_types_to_quantize=MATRICES,
                weight_type=QuantType.QInt8,
                **VARIANTS[name],
            )
            found[name] = measure(work / f"{name}.onnx", tokenizer, prompted, reference)
            print(name, found[name])
        # Seven bits where they cost next to nothing: the vectors are then the same on every processor.
        best = max(names, key=lambda name: found[name].mean + (0.002 if "7bit" in name else 0.0))
        onnx.checker.check_model(str(work / f"{best}.onnx"))
        args.output.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(work / f"{best}.onnx", args.output / "model.onnx")
        shutil.copyfile(work / "tokenizer" / "tokenizer.json", args.output / "tokenizer.json")

    digest, sizes = hashlib.sha256(), {}
    for name in ("model.onnx", "tokenizer.json"):
        content = (args.output / name).read_bytes()
        digest.update(content)
        sizes[name] = len(content)
    config = {
        "name": args.name,
        "dimension": int(reference.shape[1]),
        "max_tokens": limit,
        "query_prompt": query,
        "passage_prompt": passage,
        "variant": best,
        "digest": digest.hexdigest(),
        "files": sizes,
    }
    text = json.dumps(config, ensure_ascii=False, indent=2) + "\n"
    (args.output / "config.json").write_text(text, encoding="utf-8")
    (args.output / "README.md").write_text(card(args, config, found, len(texts)), encoding="utf-8")
    print(f"written to {args.output}: {best}, {found[best]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
