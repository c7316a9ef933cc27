"""The only home of a chat model: understanding, composing, the lock, and the answer without it when it fails.

    model.py          one call, structured, with a time limit; every error translated into an `LLMError`
    breaker.py        stops calling a dead model for a while
    budget.py         tokens a turn and a day may use, counted without any network
    understanding.py  message -> stand-alone question, topics, slots
    composing.py      question and sources -> sentences with the ids they rest on
    lock.py           what a text says that its sources do not; deterministic, no model, no network
    answering.py      the step that puts them together around the answer without an LLM
    helping.py        for staff and forms: suggested replies, fields of a paragraph, sample questions

Nothing here imports langchain at import; `model.py` does when a model is opened.
"""
