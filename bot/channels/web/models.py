"""The bodies of the API, with examples."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bot.channels.web.limits import MESSAGE_CHARACTERS
from bot.channels.web.markdown import to_html
from bot.channels.web.talk import ThreadTurn
from bot.messages import Choice, Citation, Progress, Reason, Status

_CITATION = {
    "document": "关于开展2026年度青岛市技术创新中心绩效评价工作的通知",
    "clause": "四（一）",
    "text": "（一）单位自评（3月26日-4月7日）…",
    "quote": "3月26日-4月7日",
    "clause_id": "notice:四（一）",
}
_TURN = {
    "id": "web-0123456789abcdef0123456789abcdef.1",
    "at": "2026-03-30T10:00:00+08:00",
    "said": "自评截止到哪天？",
    "text": "**单位自评截止日是4月7日（周二）**…",
    "html": "<p><strong>单位自评截止日是4月7日（周二）</strong>…</p>",
    "status": "answered",
    "by_staff": False,
    "used_llm": False,
    "citations": [_CITATION],
    "choices": [{"label": "怎么注册申报", "value": "c:register"}],
    "attachments": [],
}


def _example(value: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"example": value})


class Started(BaseModel):
    """A conversation that has begun."""

    model_config = _example({"id": "web-0123456789abcdef0123456789abcdef", "token": "IndlYi0wMTIz….签名"})
    id: str
    token: str = Field(description="放进 Authorization: Bearer；谁有它，谁就能看到这段对话")


class NewMessage(BaseModel):
    """A message: words, or the value of a pressed choice."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"text": "自评截止到哪天？"}, {"choice": "c:eligibility"}]}
    )
    text: str = Field("", max_length=MESSAGE_CHARACTERS, description="问题；点选按钮时留空")
    choice: str | None = Field(None, max_length=200, description="所点按钮的 value")


class AttachmentInfo(BaseModel):
    """A document that goes with a reply."""

    filename: str
    media_type: str
    bytes: int
    href: str = Field(description="下载地址")


class Turn(BaseModel):
    """A message and its reply. A turn without `said` came by itself: a staff answer, a reminder."""

    model_config = _example(_TURN)
    id: str
    at: datetime
    said: str
    text: str = Field(description="回答，Markdown（粗体、列表、表格）")
    html: str = Field(description="同一回答的安全 HTML")
    status: Status
    reason: Reason | None = None
    ticket: str | None = Field(None, description="已转人工时的编号")
    by_staff: bool
    used_llm: bool
    citations: tuple[Citation, ...]
    choices: tuple[Choice, ...]
    progress: Progress | None = None
    attachments: list[AttachmentInfo]
    thumbs: int | None = None


def turn_body(turn: ThreadTurn, conversation_id: str) -> Turn:
    """A turn as the API shows it to the holder of `conversation_id`."""
    reply = turn.reply
    base = f"/api/v1/conversations/{conversation_id}/turns/{turn.id}/attachments"
    files = [
        AttachmentInfo(filename=a.filename, media_type=a.media_type, bytes=len(a.content), href=f"{base}/{n}")
        for n, a in enumerate(reply.attachments)
    ]
    return Turn(
        id=turn.id,
        at=turn.at,
        said=turn.text,
        text=reply.text,
        html=str(to_html(reply.text)),
        status=reply.status,
        reason=reply.reason,
        ticket=reply.ticket,
        by_staff=reply.by_staff,
        used_llm=reply.used_llm,
        citations=reply.citations,
        choices=reply.choices,
        progress=reply.progress,
        attachments=files,
        thumbs=turn.thumbs,
    )


class History(BaseModel):
    """Turns, oldest first."""

    model_config = _example({"turns": [_TURN]})
    turns: list[Turn]


class Choices(BaseModel):
    """The buttons of the latest reply."""

    model_config = _example({"choices": [{"label": "怎么注册申报", "value": "c:register"}]})
    choices: tuple[Choice, ...]


class FormState(BaseModel):
    """A form being filled; `form` null: none is open."""

    model_config = _example({"form": "centre", "done": 3, "total": 24, "updated_at": "2026-03-30T10:00:00+08:00"})
    form: str | None
    done: int = 0
    total: int = 0
    updated_at: datetime | None = None
    answers: dict[str, Any] = Field(default_factory=dict, description="已填的内容，按字段编号")


class SubmissionBody(BaseModel):
    """A form that was handed in."""

    model_config = _example(
        {
            "receipt": "R-3C7A-9F4K",
            "revision": 1,
            "form": "centre",
            "state": "submitted",
            "submitted_at": "2026-04-01T09:30:00+08:00",
            "note": None,
        }
    )
    receipt: str
    revision: int
    form: str
    state: str
    submitted_at: datetime
    note: str | None = Field(None, description="退回修改时工作人员的说明")


class Submissions(BaseModel):
    """One's own submissions."""

    submissions: list[SubmissionBody]


class NewFeedback(BaseModel):
    """A judgement of a reply."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"thumbs": -1, "words": "想问的是附件2"}})
    thumbs: int = Field(description="1 有用，-1 没用", json_schema_extra={"enum": [1, -1]})
    words: str | None = Field(None, max_length=500)

    @model_validator(mode="after")
    def _up_or_down(self) -> NewFeedback:
        if self.thumbs not in (1, -1):
            raise ValueError("thumbs: 1 or -1")
        return self


class ResumeCodeBody(BaseModel):
    """A resume code."""

    model_config = _example({"code": "C-7K3A9-F4HPR"})
    code: str = Field(description="在另一台设备上输入；只能用一次，30天内有效")


class Redeem(BaseModel):
    """A code as a person types it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"code": "C-7K3A9-F4HPR"}})
    code: Annotated[str, Field(min_length=1, max_length=40)]


class ErasedBody(BaseModel):
    """What was deleted."""

    model_config = _example({"conversations": 1, "turns": 12, "drafts": 0, "submissions": 0, "kept": []})
    conversations: int
    turns: int
    drafts: int
    submissions: int
    kept: tuple[str, ...] = Field(description="已导出给主管部门、没有删除的回执编号")


class MilestoneBody(BaseModel):
    """A dated duty, and where today stands against it."""

    id: str
    title: str
    duty: str
    who: list[str]
    opens: date | None
    closes: date
    where: str | None
    clause: str
    quote: str
    state: str = Field(description="upcoming 未开始、open 进行中、last_day 最后一天、closed 已过")
    days: int = Field(description="距开始、距截止，或已过的天数")


class Milestones(BaseModel):
    """All dated duties."""

    model_config = _example(
        {
            "today": "2026-03-30",
            "milestones": [
                {
                    "id": "self_evaluation",
                    "title": "单位自评",
                    "duty": "对照《办法》要求开展自评…",
                    "who": ["applicant", "officer"],
                    "opens": "2026-03-26",
                    "closes": "2026-04-07",
                    "where": None,
                    "clause": "四（一）",
                    "quote": "（一）单位自评（3月26日-4月7日）",
                    "state": "open",
                    "days": 8,
                }
            ],
        }
    )
    today: date
    milestones: list[MilestoneBody]


class ClauseBody(BaseModel):
    """A clause of a source."""

    model_config = _example(
        {"id": "notice:四（一）", "document": "notice", "path": "四（一）", "text": "（一）单位自评…"}
    )
    id: str
    document: str
    path: str
    text: str


class Clauses(BaseModel):
    """All clauses, in the order of the documents."""

    clauses: list[ClauseBody]
