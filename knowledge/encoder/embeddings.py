"""LangChain's face of an encoder. Apart from the rest, since answering needs no LangChain."""

from __future__ import annotations

from langchain_core.embeddings import Embeddings

from knowledge.encoder.base import Encoder


class LangChainEmbeddings(Embeddings):
    """An `Encoder` as LangChain `Embeddings`, for its vector stores and retrievers."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [[float(x) for x in row] for row in self.encoder.encode_passages(texts)]

    def embed_query(self, text: str) -> list[float]:
        return [float(x) for x in self.encoder.encode_queries([text])[0]]
