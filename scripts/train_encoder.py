"""Fine-tune a sentence encoder on what a pack's topics say people ask.

    python scripts/train_encoder.py BASE OUTPUT --pack knowledge/packs/NAME [--epochs 5] [--clauses FILE]

BASE is a sentence-transformers directory or hub name; OUTPUT a directory outside the repository, from which
`scripts/export_encoder.py` makes the files that are committed. Needs the extra `models`.

The loss: each question is drawn to a learned prototype of its topic (softmax over all topics) and to other
questions of its topic in the batch; the pack's negatives are drawn to a class of their own, "none", which
has a learned level instead of a prototype. With `--clauses` (JSON lines: id, text) questions are also drawn
to the clauses that answer them, so that finding clauses does not suffer. Wordings of `Topic.heldout` are
never trained on: after each epoch they are looked up among the samples, as the product does it.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import re
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import yaml
from sentence_transformers import SentenceTransformer
from torch import Tensor
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from knowledge.text import normalise, readings

OPENERS = ("请问 那个 您好 你好 急 老师 嗯 就是 想问下 问一下 麻烦问下 在吗 领导让我问 那啥 请教一下 我想知道").split()
CLOSERS = "谢谢 急 在线等 求解 麻烦了 啊 呀 呢 吗 哈 是吧 对不对 盼复 谢谢老师".split()
CONTEXTS = (
    "我们单位是做海洋装备的",
    "我们是高校的",
    "我是区科技局的",
    "我刚接手这个工作",
    "我们公司2021年批的",
    "我们中心是2022年第一批的",
    "昨天看了通知没看明白",
    "我在系统里填着呢",
    "领导催得急",
    "我们是医院",
    "我是新来的",
    "打电话一直占线",
    "去年负责的同事离职了",
    "材料都准备得差不多了",
    "我们研究所也收到通知了",
)


@dataclass
class Data:
    """Questions with the number of their topic (-1: none), and what they are measured with."""

    topics: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    samples: list[tuple[str, int]] = field(default_factory=list)
    heldout: list[tuple[str, int]] = field(default_factory=list)
    negatives: list[str] = field(default_factory=list)
    clauses: list[list[str]] = field(default_factory=list)


def clause_id(reference: str) -> str:
    """The full id of a reference; a bare path is one of the notice."""
    return reference if ":" in reference else f"notice:{reference}"


def read_negatives(path: Path) -> list[str]:
    """The messages of negatives.yaml: a list of texts, or of mappings with `text`, or a mapping of lists."""
    found: list[str] = []

    def walk(value: object) -> None:
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, dict):
            for one in [value["text"]] if "text" in value else value.values():
                walk(one)
        elif isinstance(value, list):
            for one in value:
                walk(one)

    if path.is_file():
        walk(yaml.safe_load(path.read_text(encoding="utf-8")))
    return found


def read(packs: list[Path], clauses: Path | None) -> Data:
    """All topics of the packs, each id once, and their negatives."""
    data = Data()
    texts: dict[str, str] = {}
    if clauses:
        for line in clauses.read_text(encoding="utf-8").splitlines():
            clause = json.loads(line)
            texts[clause_id(clause["id"])] = clause["text"]
    for pack in packs:
        for path in sorted((pack / "topics").glob("*.yaml")):
            for topic in yaml.safe_load(path.read_text(encoding="utf-8")) or []:
                if topic["id"] in data.topics:
                    continue
                number = len(data.topics)
                data.topics.append(topic["id"])
                data.kinds.append(topic["kind"])
                data.samples += [(normalise(str(text)), number) for text in topic["samples"]]
                data.heldout += [(normalise(str(text)), number) for text in topic.get("heldout", [])]
                references = topic.get("clauses", [])
                references = [references] if isinstance(references, str) else references
                answering = references if topic["kind"] == "answer" else []
                data.clauses.append([texts[i] for i in map(clause_id, answering) if i in texts])
        data.negatives += map(normalise, read_negatives(pack / "negatives.yaml"))
    return data


class Augmenter:
    """Types a question the way somebody in a hurry would."""

    def __init__(self, texts: list[str], seed: int) -> None:
        self._random = random.Random(seed)
        self._sounding: defaultdict[str, list[str]] = defaultdict(list)
        for character in sorted(set("".join(texts))):
            for syllable in readings(character)[:1]:
                self._sounding[syllable].append(character)

    def __call__(self, text: str) -> str:
        chance = self._random.random
        if chance() < 0.3:
            text = re.sub(r"[^\w]", "", text) or text
        if len(text) > 5 and chance() < 0.15:
            at = self._random.randrange(len(text))
            text = text[:at] + (text[at] * 2 if chance() < 0.4 else "") + text[at + 1 :]
        if chance() < 0.2:
            text = self._homophone(text)
        if chance() < 0.15:
            text = self._random.choice(OPENERS) + self._random.choice(["", ",", " "]) + text
        if chance() < 0.1:
            text += self._random.choice(["", ",", " "]) + self._random.choice(CLOSERS)
        if chance() < 0.08:
            text = self._random.choice(CONTEXTS) + self._random.choice([",", " ", "。"]) + text
        return text

    def _homophone(self, text: str) -> str:
        at = self._random.randrange(len(text)) if text else 0
        for syllable in readings(text[at : at + 1])[:1]:
            text = text[:at] + self._random.choice(self._sounding[syllable] or [text[at]]) + text[at + 1 :]
        return text


class Heads(torch.nn.Module):
    """Prototypes of the topics and the level of "none"."""

    def __init__(self, prototypes: Tensor, level: float, temperature: float) -> None:
        super().__init__()
        self.prototypes = torch.nn.Parameter(prototypes)
        self.level = torch.nn.Parameter(torch.tensor(level))
        self.temperature = temperature

    def forward(self, vectors: Tensor) -> Tensor:
        cosines = vectors @ functional.normalize(self.prototypes, dim=1).T
        none = self.level.expand(len(vectors), 1)
        return torch.cat([cosines, none], dim=1) / self.temperature


def embed(model: SentenceTransformer, texts: list[str], prompt: str, limit: int) -> Tensor:
    """Unit vectors of texts, with gradients."""
    tokens = model.tokenizer(
        [prompt + text for text in texts],
        padding=True,
        truncation=True,
        max_length=limit,
        return_tensors="pt",
    )
    features = {key: tokens[key] for key in ("input_ids", "attention_mask")}
    return functional.normalize(model(features)["sentence_embedding"], dim=1)


def contrast(vectors: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """Supervised contrastive loss within the batch; questions of no topic are only pushed away."""
    same = (labels[:, None] == labels[None, :]) & (labels >= 0)[:, None]
    itself = torch.eye(len(labels), dtype=torch.bool)
    same = same & ~itself
    logits = (vectors @ vectors.T / temperature).masked_fill(itself, -1e9)
    log_share = logits - logits.logsumexp(dim=1, keepdim=True)
    count = same.sum(dim=1)
    rows = count > 0
    if not rows.any():
        return vectors.sum() * 0
    return -((log_share * same).sum(dim=1)[rows] / count[rows]).mean()


def batches(data: Data, size: int, chooser: random.Random) -> Iterator[list[tuple[str, int]]]:
    """An epoch: every sample once, two of a topic beside each other, an eighth of each batch negatives.

    Batches hold texts of like length: padding would cost more than half of the time.
    """
    by_topic: defaultdict[int, list[str]] = defaultdict(list)
    for text, topic in data.samples:
        by_topic[topic].append(text)
    pairs: list[list[tuple[str, int]]] = []
    for topic, texts in by_topic.items():
        texts.sort(key=lambda text: len(text) + chooser.gauss(0, 4))
        pairs += [[(text, topic) for text in texts[i : i + 2]] for i in range(0, len(texts), 2)]
    pairs.sort(key=lambda pair: max(len(text) for text, _ in pair) + chooser.gauss(0, 2))
    negatives = size // 8 if data.negatives else 0
    made: list[list[tuple[str, int]]] = []
    batch: list[tuple[str, int]] = []
    for pair in pairs:
        batch += pair
        if len(batch) >= size - negatives or pair is pairs[-1]:
            length = max(len(text) for text, _ in batch) + 4
            fitting = [text for text in data.negatives if len(text) <= length] or data.negatives
            chosen = chooser.sample(fitting, min(negatives, len(fitting)))
            made.append(batch + [(text, -1) for text in chosen])
            batch = []
    chooser.shuffle(made)
    yield from made


def clause_loss(
    model: SentenceTransformer,
    data: Data,
    batch: list[tuple[str, int]],
    vectors: Tensor,
    args: argparse.Namespace,
) -> Tensor:
    """Draw some questions of the batch to one of their clauses, away from the other clauses."""
    chosen: dict[str, int] = {}
    for row, (_, topic) in enumerate(batch):
        if topic >= 0 and data.clauses[topic]:
            chosen.setdefault(random.choice(data.clauses[topic]), row)
    pairs = list(chosen.items())[: args.clause_pairs]
    if len(pairs) < 2:
        return vectors.sum() * 0
    passages = embed(model, [text for text, _ in pairs], args.passage_prompt, 128)
    scores = vectors[[row for _, row in pairs]] @ passages.T / args.temperature
    also = torch.tensor([[text in data.clauses[batch[row][1]] for text, _ in pairs] for _, row in pairs])
    scores = scores.masked_fill(also & ~torch.eye(len(pairs), dtype=torch.bool), -1e9)
    return functional.cross_entropy(scores, torch.arange(len(pairs)))


@torch.no_grad()
def encode_all(model: SentenceTransformer, texts: list[str], prompt: str) -> np.ndarray:
    """Vectors without gradients, in batches of like length."""
    model.eval()
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    rows: dict[int, np.ndarray] = {}
    for start in range(0, len(order), 64):
        some = order[start : start + 64]
        for i, vector in zip(some, embed(model, [texts[i] for i in some], prompt, 256).numpy(), strict=True):
            rows[i] = vector
    return np.array([rows[i] for i in range(len(texts))])


def measure(model: SentenceTransformer, data: Data, args: argparse.Namespace) -> str:
    """Heldout wordings looked up among the samples: nearest sample's topic right, among the first three."""
    topics = np.array([topic for _, topic in data.samples])
    samples = encode_all(model, [text for text, _ in data.samples], args.query_prompt)
    heldout = encode_all(model, [text for text, _ in data.heldout], args.query_prompt)
    first = third = kind = 0
    nearest = heldout @ samples.T
    for (_, wanted), row in zip(data.heldout, nearest, strict=True):
        ranked = list(dict.fromkeys(topics[np.argsort(-row)[:60]].tolist()))
        first += ranked[0] == wanted
        third += wanted in ranked[:3]
        kind += data.kinds[ranked[0]] == data.kinds[wanted]
    total = len(data.heldout)
    said = f"heldout {total}: top1 {first / total:.4f} top3 {third / total:.4f} kind {kind / total:.4f}"
    if data.negatives:
        away = (encode_all(model, data.negatives, args.query_prompt) @ samples.T).max(axis=1)
        bars = np.quantile(nearest.max(axis=1), [0.02, 0.05, 0.1])
        passing = [f"{(away > bar).mean():.3f}" for bar in bars]
        said += f" | trained negatives above the bar that keeps 98/95/90%: {'/'.join(passing)}"
    return said


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("base")
    parser.add_argument("output", type=Path)
    parser.add_argument("--pack", type=Path, action="append", required=True, help="may be given more than once")
    parser.add_argument("--clauses", type=Path, help="JSON lines with id and text")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--rate", type=float, default=5e-5)
    parser.add_argument("--decay", type=float, default=0.9, help="factor of the rate from a layer to the one below")
    parser.add_argument("--temperature", type=float, default=0.05)
    parser.add_argument("--contrast", type=float, default=0.5, help="weight of the contrastive loss")
    parser.add_argument("--clause-weight", type=float, default=0.2)
    parser.add_argument("--clause-pairs", type=int, default=6, help="clauses encoded a step")
    parser.add_argument("--train-embeddings", action="store_true")
    parser.add_argument("--freeze", type=int, default=0, help="layers from below that do not learn")
    parser.add_argument("--bf16", action="store_true", help="compute in bfloat16 (processors with avx512_bf16)")
    # Two threads on two busy processors wait for each other: measured ten times slower than one.
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--steps", type=int, help="stop after so many steps, to try it out")
    return parser.parse_args()


def parameter_groups(model: SentenceTransformer, heads: Heads, args: argparse.Namespace) -> list[dict[str, object]]:
    """Lower layers learn more slowly; prototypes quickly; word embeddings not, unless told."""
    layers = max(
        (int(found.group(1)) for name, _ in model.named_parameters() if (found := re.search(r"layer\.(\d+)\.", name))),
        default=0,
    )
    groups: list[dict[str, object]] = []
    for name, parameter in model.named_parameters():
        found = re.search(r"layer\.(\d+)\.", name)
        frozen = int(found.group(1)) < args.freeze if found else "embeddings" in name
        if frozen and not (args.train_embeddings and not found):
            parameter.requires_grad_(False)
            continue
        depth = layers - int(found.group(1)) if found else (layers + 1 if "embeddings" in name else 0)
        decay = 0.0 if parameter.ndim < 2 else 0.01
        groups.append({"params": [parameter], "lr": args.rate * args.decay**depth, "weight_decay": decay})
    groups.append({"params": list(heads.parameters()), "lr": 2e-3, "weight_decay": 0.0})
    return groups


def main() -> int:
    args = parse()
    random.seed(args.seed)
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    data = read(args.pack, args.clauses)
    model = SentenceTransformer(args.base, device="cpu").float()
    args.query_prompt = model.prompts.get("query") or ""
    args.passage_prompt = model.prompts.get("document") or model.prompts.get("passage") or ""
    print(
        f"{len(data.topics)} topics, {len(data.samples)} samples, {len(data.heldout)} heldout, "
        f"{len(data.negatives)} negatives, {sum(map(bool, data.clauses))} topics with clauses",
        flush=True,
    )
    if not args.steps:
        print("before:", measure(model, data, args), flush=True)
    vectors = torch.from_numpy(encode_all(model, [text for text, _ in data.samples], args.query_prompt))
    labels = torch.tensor([topic for _, topic in data.samples])
    prototypes = torch.stack([vectors[labels == topic].mean(dim=0) for topic in range(len(data.topics))])
    # A base whose vectors all lie close together would leave every prototype the same: the mean is removed.
    heads = Heads(prototypes - 0.8 * vectors.mean(dim=0), 0.5, args.temperature)
    optimizer = torch.optim.AdamW(parameter_groups(model, heads, args))
    chooser = random.Random(args.seed)
    augment = Augmenter([text for text, _ in data.samples], args.seed)
    total = args.steps or args.epochs * math.ceil(len(data.samples) / (args.batch * 7 / 8))
    warm = max(1, total // 10)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warm, max(0.02, (total - step) / max(1, total - warm)))
    )
    step, started = 0, time.perf_counter()
    for epoch in range(args.epochs):
        losses: list[float] = []
        for batch in batches(data, args.batch, chooser):
            model.train()
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=args.bf16):
                encoded = embed(model, [augment(text) for text, _ in batch], args.query_prompt, 64)
            encoded = encoded.float()
            labels = torch.tensor([topic for _, topic in batch])
            wanted = torch.where(labels < 0, len(data.topics), labels)
            loss = functional.cross_entropy(heads(encoded), wanted, label_smoothing=0.02)
            loss = loss + args.contrast * contrast(encoded, labels, args.temperature)
            # Clauses are long: every third step is enough to keep them.
            if args.clauses and step % 3 == 0:
                loss = loss + args.clause_weight * clause_loss(model, data, batch, encoded, args)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
            step += 1
            if step % 20 == 0 or step == args.steps:
                seconds = (time.perf_counter() - started) / step
                print(f"step {step}/{total} loss {np.mean(losses[-20:]):.3f} {seconds:.2f} s a step", flush=True)
            if step == args.steps:
                break
        paused = time.perf_counter()
        print(f"epoch {epoch + 1}:", measure(model, data, args), flush=True)
        # Saved after each epoch: a run that is stopped early has lost nothing.
        model.eval()
        model.save(str(args.output))
        started += time.perf_counter() - paused
        if step == args.steps:
            break
    return 0


if __name__ == "__main__":
    sys.exit(main())
