"""starlette-admin's own lists: read only, without any encrypted column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette_admin.actions import ActionSelection, action, link_row_action
from starlette_admin.contrib.sqla import ModelView
from starlette_admin.fields import (
    BooleanField,
    DateField,
    DateTimeField,
    EnumField,
    IntegerField,
    JSONField,
    StringField,
)

from bot.helpdesk.console import BASE, Console, base_of, may
from bot.store.tables import AuditEntry, DraftRow, PromotedAnswer, StaffRow, SubmissionRow
from bot.texts import texts


class _Text(str):
    """A button's label, looked up when it is shown."""

    def __new__(cls, key: str) -> _Text:
        made = super().__new__(cls, key)
        made.key = key
        return made

    key: str

    def __str__(self) -> str:
        return texts().render(f"helpdesk.lists.buttons.{self.key}")

    def __html__(self) -> str:
        return str(self)


class ListView(ModelView):
    """A list that changes nothing; `role` may see it."""

    role = "agent"
    page_size = 25
    page_size_options = (25, 50, 100)
    exporters = ("csv",)
    importers = ()
    row_actions: Sequence[str] | None = ()
    actions: Sequence[str] | None = ("export",)
    additional_js_links = [f"{BASE}/static/lists.js"]  # noqa: RUF012  (a list is what it wants)

    def __init__(self, console: Console, model: type[Any], key: str) -> None:
        self.console = console
        texts = console.labels("lists")
        self._labels: dict[str, str] = texts["columns"]
        super().__init__(model, key=key, menu_label=texts["menu"][key], display_name=texts["menu"][key])

    def is_accessible(self, request: Request) -> bool:
        """Only for staff of this role or a higher one."""
        return may(request, self.role)

    def can_create(self, request: Request) -> bool:
        """Never."""
        return False

    def can_edit(self, request: Request) -> bool:
        """Never."""
        return False

    def can_delete(self, request: Request) -> bool:
        """Never."""
        return False

    def can_import(self, request: Request) -> bool:
        """Never."""
        return False

    def can_view_detail(self, request: Request) -> bool:
        """Never: our own pages show one record."""
        return False

    async def before_export(self, request: Request, ctx: Any) -> None:
        """Every export is logged."""
        await self.console.log(request, "export", "list", str(self.key))


def _fields(console: Console, *specs: tuple[str, type[Any]], **choices: dict[str, str]) -> list[Any]:
    labels = console.labels("lists")["columns"]
    made = []
    for name, kind in specs:
        if name in choices:
            made.append(EnumField(name, label=labels[name], choices=list(choices[name].items())))
        else:
            made.append(kind(name, label=labels[name]))
    return made


class SubmissionList(ListView):
    """Forms handed in, without their contents."""

    icon = "fa fa-file-lines"
    fields_default_sort = (("submitted_at", True),)
    searchable_fields = ("receipt", "centre", "department")
    row_actions = ("read",)
    actions = ("hand_out", "export")
    exclude_fields_from_list = ("id",)

    def __init__(self, console: Console, model: type[Any], key: str) -> None:
        self.fields = _fields(
            console, ("id", StringField), ("receipt", StringField), ("revision", IntegerField), ("centre", StringField),
            ("department", StringField), ("unit_type", StringField), ("batch", StringField), ("state", StringField),
            ("latest", BooleanField), ("submitted_at", DateTimeField), ("exported_at", DateTimeField),
            state=console.labels("form_states"), unit_type=console.labels("scope")["unit_type"],
        )  # fmt: skip
        super().__init__(console, model, key)

    @link_row_action(name="read", text=_Text("read"), icon_class="fa fa-eye")
    def read(self, request: Request, pk: Any) -> str:
        """The form itself."""
        return f"{base_of(request)}/forms/by-id/{pk}"

    @action(name="hand_out", text=_Text("hand_out"), custom_response=True)
    async def hand_out(self, request: Request, selection: ActionSelection) -> RedirectResponse:
        """The export page, for the rows chosen."""
        rows = await selection.rows()
        return RedirectResponse(f"{base_of(request)}/exports?ids=" + ",".join(r.id for r in rows[:1000]), 303)


class DraftList(ListView):
    """Forms being filled: how far, never what."""

    icon = "fa fa-pen"
    fields_default_sort = (("updated_at", True),)
    searchable_fields = ("department",)
    exclude_fields_from_list = ("id",)
    exclude_fields_from_export = ("id",)

    def __init__(self, console: Console, model: type[Any], key: str) -> None:
        self.fields = _fields(
            console, ("id", StringField), ("form", StringField), ("department", StringField),
            ("unit_type", StringField), ("batch", StringField), ("state", StringField), ("done", IntegerField), ("total", IntegerField),  # noqa: E501
            ("updated_at", DateTimeField), unit_type=console.labels("scope")["unit_type"],
            state=console.labels("draft_states"),
        )  # fmt: skip
        super().__init__(console, model, key)


class PromotedList(ListView):
    """Promoted answers as a plain list."""

    icon = "fa fa-list-check"
    fields_default_sort = (("updated_at", True),)
    searchable_fields = ("title", "answer")

    def __init__(self, console: Console, model: type[Any], key: str) -> None:
        self.fields = _fields(
            console, ("topic_id", StringField), ("title", StringField), ("answer", StringField),
            ("author", StringField),
            ("state", StringField), ("version", IntegerField), ("valid_until", DateField), ("updated_at", DateTimeField),  # noqa: E501
            state=console.labels("knowledge_states"),
        )  # fmt: skip
        super().__init__(console, model, key)


class StaffList(ListView):
    """Accounts, for administrators."""

    role = "administrator"
    icon = "fa fa-id-badge"
    searchable_fields = ("login", "name")

    def __init__(self, console: Console, model: type[Any], key: str) -> None:
        self.fields = _fields(
            console, ("login", StringField), ("name", StringField), ("role", StringField), ("disabled", BooleanField),
            ("must_change", BooleanField), ("locked_until", DateTimeField),
            ("last_login_at", DateTimeField), ("created_at", DateTimeField), role=console.labels("roles"),
        )  # fmt: skip
        super().__init__(console, model, key)


class AuditList(ListView):
    """The audit log, for administrators; the database itself refuses to change it."""

    role = "administrator"
    icon = "fa fa-clipboard-list"
    fields_default_sort = (("id", True),)
    searchable_fields = ("who", "action", "record_kind", "record_id")

    def __init__(self, console: Console, model: type[Any], key: str) -> None:
        self.fields = _fields(
            console, ("id", IntegerField), ("at", DateTimeField), ("who", StringField), ("action", StringField),
            ("record_kind", StringField), ("record_id", StringField), ("detail", JSONField),
            action=console.labels("actions"),
        )  # fmt: skip
        super().__init__(console, model, key)


LISTS: tuple[tuple[type[ListView], type[Any], str], ...] = (
    (SubmissionList, SubmissionRow, "submissions"),
    (DraftList, DraftRow, "drafts"),
    (PromotedList, PromotedAnswer, "promoted"),
    (StaffList, StaffRow, "staff"),
    (AuditList, AuditEntry, "audit"),
)
