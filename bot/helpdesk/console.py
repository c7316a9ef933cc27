"""What every page of the console is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any, Protocol

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette_admin.flash import flash
from starlette_admin.views import CustomView

from bot.forms.definition import FormLibrary
from bot.forms.loading import load_forms
from bot.looking import Looking
from bot.settings import Settings, zone
from bot.steps.promoted import Promoted
from bot.store import Staff, Store, StoreError
from bot.texts import Texts
from knowledge.loading import Pack

RANK = {"agent": 1, "editor": 2, "administrator": 3}
BASE = "/helpdesk"


class Service(Protocol):
    """What the console needs of the running service (`bot.bootstrap.Service`)."""

    @property
    def settings(self) -> Settings: ...
    @property
    def pack(self) -> Pack: ...
    @property
    def texts(self) -> Texts: ...
    @property
    def store(self) -> Store: ...
    @property
    def looking(self) -> Looking: ...
    @property
    def promoted(self) -> Promoted: ...


@dataclass
class Console:
    """The service, and the console's own short memory (who looks at which ticket, running exports)."""

    service: Service
    present: dict[str, dict[str, datetime]] = field(default_factory=dict)
    jobs: dict[str, Any] = field(default_factory=dict)

    @property
    def store(self) -> Store:
        """The store."""
        return self.service.store

    @property
    def texts(self) -> Texts:
        """The texts."""
        return self.service.texts

    @property
    def pack(self) -> Pack:
        """The pack in use."""
        return self.service.pack

    @cached_property
    def forms(self) -> FormLibrary:
        """The pack's forms in all versions."""
        return load_forms(self.pack.folder, set(self.pack.clauses))

    def t(self, key: str, **values: Any) -> str:
        """A text of prompts/texts/helpdesk.yaml."""
        return self.texts.render(f"helpdesk.{key}", **values)

    def labels(self, key: str) -> Any:
        """A table of texts of helpdesk.yaml."""
        return self.texts.get(f"helpdesk.{key}")

    def now(self) -> datetime:
        """Now, in the pack's time zone."""
        return self.store.now().astimezone(zone(self.pack.info.time_zone))

    def today(self) -> date:
        """Today in the pack's time zone."""
        return self.now().date()

    def local(self, at: datetime | None) -> str:
        """A moment as staff read it."""
        return at.astimezone(zone(self.pack.info.time_zone)).strftime("%m-%d %H:%M") if at else ""

    def local_day(self, at: datetime) -> date:
        """The day of a moment in the pack's time zone."""
        return at.astimezone(zone(self.pack.info.time_zone)).date()

    def missing_documents(self) -> list[str]:
        """Documents that the pack declares and that nobody has added yet."""
        have = {c.document for c in self.pack.clauses.values()}
        return [d.short for d in self.pack.info.documents if d.id not in have]

    def offices(self) -> list[str]:
        """The offices in whose name may be answered: those of the notice's telephone list."""
        return list(dict.fromkeys(c.office for c in self.pack.facts.contacts if c.business))

    async def log(self, request: Request, action: str, kind: str, record: str, detail: Any = None) -> None:
        """Write to the audit log who did what."""
        await self.store.staff.record(staff_of(request).login, action, kind, record, detail)

    def said(self, error: StoreError) -> str:
        """A store's error in words."""
        return self.texts.render(f"store.{error.key}.operator", **error.details)


def staff_of(request: Request) -> Staff:
    """Who is logged in. Raises HTTPException 401 where nobody is."""
    found = getattr(request.state, "staff", None)
    if not isinstance(found, Staff):
        raise HTTPException(401)
    return found


def may(request: Request, role: str) -> bool:
    """Whether the person logged in has a role, or a higher one."""
    found = getattr(request.state, "staff", None)
    return isinstance(found, Staff) and not found.must_change and RANK[found.role] >= RANK[role]


Answer = Callable[..., Any]


class Page(CustomView):
    """One of our own pages; `role` may open it, and each of its routes is closed to lower ones."""

    role = "agent"
    name = ""

    def __init__(self, console: Console) -> None:
        self.console = console
        super().__init__(menu_label=console.labels("menu").get(self.name))

    def is_accessible(self, request: Request) -> bool:
        """Only for staff of this role or a higher one."""
        return may(request, self.role)

    def is_active(self, request: Request) -> bool:
        """Whether this or one of its sub-pages is shown."""
        path = str(request.scope["path"]).removeprefix(str(request.scope["root_path"]))
        return path == self.path or (self.path != "/" and path.startswith(self.path + "/"))

    def page(self, request: Request, template: str, code: int = 200, **context: Any) -> Response:
        """A page in the console's layout."""
        assert self._admin is not None
        more = {"t": self.console.t, "labels": self.console.labels, "local": self.console.local, "may": may,
                "me": staff_of(request), "base": base_of(request), "console": self.console}  # fmt: skip
        return self._admin._template_response(request, f"helpdesk/{template}", {**more, **context}, code)

    def back(self, request: Request, path: str, message: str = "", kind: str = "success") -> Response:
        """See another page, with a message."""
        if message:
            flash(request, message, kind)
        return RedirectResponse(base_of(request) + path, 303)


def base_of(request: Request) -> str:
    """The console's root, without a slash at the end."""
    return str(request.scope.get("root_path", "")).rstrip("/") or BASE


def need(request: Request, role: str) -> None:
    """Raises HTTPException 403 where the person's role is lower."""
    if not may(request, role):
        raise HTTPException(403)


def clip(value: Any, limit: int) -> str:
    """A form field's text, at most `limit` characters."""
    return str(value or "").strip()[:limit]
