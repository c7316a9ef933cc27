"""What can go wrong with a chat model: one error, a closed set of kinds."""

from __future__ import annotations

from enum import StrEnum


class Failure(StrEnum):
    """Why a call came to nothing. Each has its text in `prompts/texts/llm.yaml`."""

    TIMEOUT = "timeout"
    REFUSED = "refused"
    UNAUTHORISED = "unauthorised"
    RATE_LIMITED = "rate_limited"
    SERVER = "server"
    BAD_REQUEST = "bad_request"
    EMPTY = "empty"
    TRUNCATED = "truncated"
    NOT_JSON = "not_json"
    WRONG_SCHEMA = "wrong_schema"
    DECLINED = "declined"
    BUDGET = "budget"
    PAUSED = "paused"
    NO_PROVIDER = "no_provider"
    OTHER = "other"


class LLMError(Exception):
    """A call to the model came to nothing; `kind` says why. Never carries what the person wrote."""

    def __init__(self, kind: Failure, detail: str = "") -> None:
        super().__init__(f"{kind.value}: {detail}" if detail else kind.value)
        self.kind = kind
        self.detail = detail
