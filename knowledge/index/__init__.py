"""Finding: clauses and sample questions, by meaning and by words.

`open_index` brings the store in step with the records of a pack and gives an `Index` in memory; Chroma is the
store of record, a snapshot beside it makes the next start quick. Importing this package imports neither
chromadb nor LangChain. `knowledge.index.retriever` is LangChain's face of it.
"""

from knowledge.index.records import Kind, Record
from knowledge.index.search import Hit, Hits, Index
from knowledge.index.syncing import SyncReport, open_index, sync

__all__ = ["Hit", "Hits", "Index", "Kind", "Record", "SyncReport", "open_index", "sync"]
