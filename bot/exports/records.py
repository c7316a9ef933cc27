"""What the exporters take and give: plain values, no database."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from bot.forms.definition import Form, FormLibrary
from bot.forms.journey import department_of
from bot.texts import Texts
from knowledge.pack import Milestone, PackError, Role

__all__ = [
    "ZONE", "ExportFile", "ExportInput", "HasText", "Layouts", "ReportLayout", "SubmissionRecord", "TableLayout",
    "department_of", "load_layouts", "local", "safe_name", "sheet_name", "unique_names",
]  # fmt: skip

ZONE = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class SubmissionRecord:
    """A form handed in. `submitted_at` has a time zone; `department` is the label ("崂山区")."""

    receipt: str
    revision: int
    form_id: str
    form_version: str
    submitted_at: datetime
    department: str
    answers: Mapping[str, Any]


@dataclass(frozen=True)
class ExportFile:
    """A document to hand out; `name` is safe on every file system."""

    name: str
    media_type: str
    content: bytes = field(repr=False)


class HasText(Protocol):
    """A clause, as far as the exporters need it."""

    @property
    def path(self) -> str: ...
    @property
    def text(self) -> str: ...


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TableLayout(_Data):
    """An attachment that is a table: which clause gives title and columns, which fields fill them."""

    form: str
    clause: str
    table: str
    columns: tuple[str | tuple[str, ...], ...]
    widths: tuple[float, ...]


class ReportLayout(_Data):
    """The report's outline: fields by outline item; `pledge` is the part that gets a page of its own."""

    form: str
    clause: str
    pledge: str
    fill: dict[str, tuple[str, ...]]
    name: str
    unit: str


class Layouts(_Data):
    """exports.yaml."""

    summary: TableLayout
    roster: TableLayout
    report: ReportLayout


def load_layouts(folder: Path) -> Layouts:
    """Read a pack's exports.yaml. Raises PackError that names the file and the problem."""
    path = folder / "exports.yaml"
    try:
        return Layouts.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise PackError(f"{path}: {error}; expected summary, roster and report") from error


@dataclass(frozen=True)
class ExportInput:
    """Everything that an exporter may use.

    Args:
        records: In the order wanted; the newest revision of each receipt is used where only one may stand.
        clauses: The pack's clauses by id ("notice:附件2").
        now: The time of the export, for calendar stamps.
        role: Milestones of this role alone; None: all.
    """

    records: tuple[SubmissionRecord, ...]
    forms: FormLibrary
    layouts: Layouts
    clauses: Mapping[str, HasText]
    texts: Texts
    now: datetime
    milestones: tuple[Milestone, ...] = ()
    role: Role | None = None
    pack_id: str = "pack"

    def clause(self, path: str) -> str:
        """The text of a clause of the notice. Raises PackError where there is none."""
        try:
            return self.clauses[f"notice:{path}"].text
        except KeyError:
            raise PackError(f"no clause {path!r}; the layouts name it") from None

    def newest(self, form_id: str) -> list[SubmissionRecord]:
        """The newest revision of each receipt of a form."""
        out: dict[str, SubmissionRecord] = {}
        for record in self.records:
            if record.form_id == form_id and (
                record.receipt not in out or out[record.receipt].revision < record.revision
            ):
                out[record.receipt] = record
        return list(out.values())

    def form_of(self, record: SubmissionRecord) -> Form | None:
        """The form in the version that a submission was filled in with."""
        return self.forms.get(record.form_id, record.form_version)


def local(at: datetime) -> datetime:
    """Qingdao's time without a zone, as spreadsheets keep it."""
    return at.astimezone(ZONE).replace(tzinfo=None, microsecond=0)


_RESERVED = {"con", "prn", "aux", "nul", *(f"{n}{i}" for n in ("com", "lpt") for i in range(1, 10))}


def safe_name(name: str, suffix: str, limit: int = 180) -> str:
    """A file name that every file system takes: no path, no control characters, at most `limit` bytes."""
    kept = "".join("_" if c in '<>:"/\\|?*%' or unicodedata.category(c)[0] == "C" else c for c in name)
    kept = re.sub(r"\s+", " ", kept).strip(" .")
    while len(kept.encode()) > limit:
        kept = kept[:-1]
    kept = kept.strip(" .") or "_"
    return f"{'_' if kept.split('.')[0].casefold() in _RESERVED else ''}{kept}{suffix}"


def unique_names(files: list[ExportFile]) -> list[ExportFile]:
    """The same files; a name that occurs again (also in other case) gets a number."""
    seen: dict[str, int] = {}
    out = []
    for one in files:
        count = seen[one.name.casefold()] = seen.get(one.name.casefold(), 0) + 1
        stem, dot, suffix = one.name.rpartition(".")
        out.append(one if count == 1 else ExportFile(f"{stem} ({count}){dot}{suffix}", one.media_type, one.content))
    return out


def sheet_name(name: str, used: set[str]) -> str:
    """A sheet name that Excel takes (31 characters, none of []:*?/\\, not twice); added to `used`."""
    base = re.sub(r"[\[\]:*?/\\\x00-\x1f]", "_", name).strip("' ")[:31] or "_"
    if base.casefold() == "history":
        base += "_"
    candidate, count = base, 1
    while candidate.casefold() in used:
        count += 1
        tail = f" ({count})"
        candidate = base[: 31 - len(tail)] + tail
    used.add(candidate.casefold())
    return candidate
