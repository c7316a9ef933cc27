"""Forms handed in: one readable as it will print, sent back for correction; exports with progress."""

from __future__ import annotations

import asyncio
import io
import secrets
import zipfile
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette_admin.routing import route

from bot.exports import EXPORTERS
from bot.exports.packing import pack_up
from bot.exports.records import ExportFile
from bot.forms.journey import asked, say
from bot.helpdesk.console import Console, Page, clip, staff_of
from bot.helpdesk.learning import download
from bot.messages import Reply, Status
from bot.store import Missing, NewDelivery, StoreError, Submission
from bot.store.codec import digest

_CHUNK = 200
_KEPT = timedelta(hours=1)
FILTERS = ("department", "unit_type", "batch", "state")


@dataclass
class Job:
    """An export at work. `percent` runs to 100; `file` is there when it is done, else `error`."""

    owner: str
    kind: str
    began: datetime
    total: int
    percent: int = 0
    count: int = 0
    file: ExportFile | None = None
    error: str = ""
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def done(self) -> bool:
        """Whether nothing more will come."""
        return self.file is not None or bool(self.error)


class FormsPage(Page):
    """One form; the list of them is starlette-admin's."""

    name, path, add_to_menu = "forms", "/forms", False

    @route("/by-id/{id}")
    async def by_id(self, request: Request) -> Response:
        """A revision by its own id, as the list links it."""
        found = await self.console.store.forms.submissions(ids=[request.path_params["id"]])
        if not found:
            raise HTTPException(404)
        return self.back(request, f"/forms/{found[0].receipt}?revision={found[0].revision}")

    @route("/{receipt}")
    async def show(self, request: Request) -> Response:
        """A form as it will print. It holds personal data: looking is logged."""
        console, one = self.console, await self._get(request)
        form = console.forms.get(one.form, one.form_version)
        if form is None or one.answers is None:
            raise HTTPException(404)
        await console.log(request, "view_personal", "submission", one.receipt, {"revision": one.revision})
        shown = {f.id: f for f in asked(form, one.answers)}
        sections = [
            (s.title, [(f, "" if one.answers.get(f.id) is None else say(f, one.answers[f.id], console.texts))
                       for f in s.fields if f.id in shown])
            for s in form.sections
        ]  # fmt: skip
        return self.page(request, "form.html", one=one, form=form, sections=sections)

    @route("/{receipt}/correct", methods=["POST"])
    async def correct(self, request: Request) -> Response:
        """Send it back to the person, with a note and the field marked."""
        console, one, data = self.console, await self._get(request), await request.form()
        note, marked = clip(data.get("note"), 1000), clip(data.get("field"), 100) or None
        form = console.forms.get(one.form, one.form_version)
        names = {f.id: f.title for s in form.sections for f in s.fields} if form else {}
        path = f"/forms/{one.receipt}"
        if not note or (marked is not None and marked not in names):
            return self.back(request, path, console.t("forms.note_needed"), "error")
        channel = (await console.store.load(one.conversation_id, "web")).channel
        words = console.t("forms.correction", receipt=one.receipt, field=names.get(marked or ""), note=note)
        reply = Reply(text=words, status=Status.FORM, by_staff=True)
        key = f"correct:{one.id}:{digest(note)}"  # a double click sends it once
        try:
            async with console.store.transaction():
                await console.store.forms.needs_correction(one.id, note, marked)
                await console.store.outbox.add(NewDelivery(one.conversation_id, channel, reply, "correction", key))
                await console.log(request, "needs_correction", "submission", one.receipt, {"field": marked})
        except StoreError as error:
            return self.back(request, path, console.said(error), "error")
        return self.back(request, path, console.t("forms.sent_back"))

    async def _get(self, request: Request) -> Submission:
        try:
            revision = request.query_params.get("revision", "")
            return await self.console.store.forms.submission(
                request.path_params["receipt"], int(revision) if revision.isdigit() else None
            )
        except StoreError:
            raise HTTPException(404) from None


class ExportsPage(Page):
    """Exports by filter or by choice."""

    name, path, icon = "exports", "/exports", "fa fa-file-export"

    @route("")
    async def index(self, request: Request) -> Response:
        """The choice of a format and of what goes in."""
        console = self.console
        found = await console.store.forms.submissions()
        ids = [i for i in clip(request.query_params.get("ids"), 40_000).split(",") if i]
        options = {name: sorted({str(getattr(s, name)) for s in found if getattr(s, name)}) for name in FILTERS}
        log = await console.store.staff.audit(action="export", limit=15)
        return self.page(request, "exports.html", total=len(found), options=options, ids=ids, log=log,
                         formats=[k for k in EXPORTERS if k != "receipt"])  # fmt: skip

    @route("/begin", methods=["POST"])
    async def begin(self, request: Request) -> Response:
        """Begin an export; its page shows how far it is."""
        console, form = self.console, await request.form()
        kind = clip(form.get("kind"), 30)
        if kind not in EXPORTERS:
            raise HTTPException(404)
        ids = [i for i in clip(form.get("ids"), 40_000).split(",") if i] or None
        filters = {name: clip(form.get(name), 100) or None for name in FILTERS}
        listed = await console.store.forms.submissions(ids=ids, **({} if ids else filters))  # type: ignore[arg-type]
        now = console.store.now()
        for old in [k for k, j in console.jobs.items() if j.began < now - _KEPT]:
            del console.jobs[old]
        job, number = Job(staff_of(request).login, kind, now, len(listed)), secrets.token_hex(8)
        console.jobs[number] = job
        used = {} if ids else {k: v for k, v in filters.items() if v}
        detail = {"count": len(listed), "chosen": bool(ids), **used}
        await console.log(request, "export", "submissions", kind, detail)
        job.task = asyncio.create_task(run(console, job, [s.id for s in listed]))
        return self.back(request, f"/exports/{number}")

    @route("/{job}")
    async def job(self, request: Request) -> Response:
        """How far an export is, and its file."""
        return self.page(request, "export.html", job=self._job(request), number=request.path_params["job"])

    @route("/{job}/state")
    async def state(self, request: Request) -> Response:
        """How far an export is."""
        job = self._job(request)
        said = self.console.t("exports.state", count=job.count, total=job.total, done=job.done)
        return JSONResponse({"percent": job.percent, "done": job.done, "said": said})

    @route("/{job}/file")
    async def file(self, request: Request) -> Response:
        """The file, for who asked for it."""
        job = self._job(request)
        if job.file is None:
            raise HTTPException(404)
        return download(job.file.name, job.file.content, job.file.media_type)

    def _job(self, request: Request) -> Job:
        job: Job | None = self.console.jobs.get(request.path_params["job"])
        if job is None or job.owner != staff_of(request).login:
            raise HTTPException(404)
        return job


async def run(console: Console, job: Job, ids: list[str]) -> None:
    """Read, export, and mark as exported; a failure is kept with the job."""
    try:
        records: list[Submission] = []
        for start in range(0, len(ids), _CHUNK):
            part = await console.store.forms.submissions(ids=ids[start : start + _CHUNK], open_answers=True)
            records += part
            job.count = len(records)
            job.percent = 70 * len(records) // max(1, len(ids))
            await asyncio.sleep(0)
        data = pack_up(console.pack, console.forms, records, console.texts, console.now())
        files = await asyncio.to_thread(EXPORTERS[job.kind], data)
        await console.store.forms.mark_exported(ids)
        job.file = files[0] if len(files) == 1 else _zipped(console, job.kind, files)
        job.percent = 100
    except (StoreError, Missing, ValueError, KeyError) as error:
        job.error = console.said(error) if isinstance(error, StoreError) else console.t("exports.failed")


def _zipped(console: Console, kind: str, files: list[ExportFile]) -> ExportFile:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for one in files:
            archive.writestr(one.name, one.content)
    name = console.labels("exports.kinds")[kind]
    return ExportFile(f"{name}.zip", "application/zip", made.getvalue())
