"""LangChain's face of the index. Apart from the rest, since answering needs no LangChain."""

from __future__ import annotations

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from knowledge.encoder.base import Encoder
from knowledge.index.search import Index
from knowledge.text import normalise


class ClauseRetriever(BaseRetriever):
    """Clauses for a question, by meaning and by words, best first.

    Each document holds the clause's text; its metadata hold `clause` (the id), `score`, `similarity` and
    `lexical` (see `Hit`).
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    index: Index
    encoder: Encoder
    k: int = 5

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        question = normalise(query)
        hits = self.index.search(self.encoder.encode_queries([question])[0], question, self.k)
        return [
            Document(
                page_content=hit.record.text,
                metadata={
                    "clause": hit.ref,
                    "score": hit.score,
                    "similarity": hit.similarity,
                    "lexical": hit.lexical,
                },
                id=hit.record.id,
            )
            for hit in hits.clauses
        ]
