"""`qtic export` and `qtic db` on a real database. Persons, units and figures are made up."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
import typer
from typer.testing import CliRunner

from bot.commands import database, exporting
from bot.commands.errors import CommandError
from bot.exports import EXPORTERS
from bot.store import Store, Vault
from tests.filling_people import NOW
from tests.forms_samples import CENTRE, FORMS, filled


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    exporting.register(app)
    database.register(app)
    return app


def prepared(tmp_path: Path) -> list[str]:
    """A centre's form and a roster, handed in; their receipts."""

    async def run() -> list[str]:
        data = tmp_path / "data"
        async with await Store.open(
            f"sqlite:///{data.absolute()}/qtic.db", Vault(path=data / "secret.key"), lambda: NOW
        ) as store:
            receipts = []
            for form in (CENTRE, FORMS.current["roster"]):
                conversation = await store.load(form.id, "test")
                await store.conversations.save(conversation)
                draft = store.forms.new_draft(form.id, form.id, form.version, NOW)
                draft = await store.forms.save_draft(replace(draft, answers=filled(form.id), department="崂山区"))
                receipts.append((await store.forms.submit(draft, centre="某中心")).receipt)
            return receipts

    return asyncio.run(run())


def test_every_exporter_has_its_command() -> None:
    assert {w.value for w in exporting.What} == set(EXPORTERS)


def test_each_export_writes_its_files_and_says_where(app: typer.Typer, tmp_path: Path) -> None:
    receipts = prepared(tmp_path)
    for what in exporting.What:
        result = CliRunner().invoke(app, ["export", what.value, "--out", f"out/{what.value}"])
        assert result.exit_code == 0, result.output
        files = [line for line in result.output.splitlines() if line.startswith("out/")]
        assert files and all((tmp_path / f).stat().st_size for f in files)
    book = openpyxl.load_workbook(next((tmp_path / "out/summary").glob("*.xlsx")))
    assert book.sheetnames == ["崂山区"]
    result = CliRunner().invoke(app, ["export", "form", "--out", "out/one", "--receipt", receipts[0].lower()])
    assert result.exit_code == 0 and len(list((tmp_path / "out/one").iterdir())) == 1


def test_what_was_exported_is_marked_and_logged(app: typer.Typer, tmp_path: Path) -> None:
    prepared(tmp_path)
    assert CliRunner().invoke(app, ["export", "forms", "--out", "out"]).exit_code == 0

    async def run() -> None:
        data = tmp_path / "data"
        async with await Store.open(f"sqlite:///{data.absolute()}/qtic.db", Vault(path=data / "secret.key")) as store:
            assert all(s.exported_at for s in await store.forms.submissions())
            (entry,) = await store.staff.audit(action="export")
            assert entry.detail == {"count": 2}

    asyncio.run(run())


def test_nothing_to_export_and_a_file_for_a_folder_are_said(app: typer.Typer, tmp_path: Path) -> None:
    prepared(tmp_path)
    result = CliRunner().invoke(app, ["export", "summary", "--out", "out", "--department", "市南区"])
    assert isinstance(result.exception, CommandError) and "市南区" in str(result.exception)
    (tmp_path / "file").write_text("x")
    result = CliRunner().invoke(app, ["export", "summary", "--out", "file"])
    assert isinstance(result.exception, CommandError) and "文件夹" in str(result.exception)


def test_db_status_makes_nothing_and_upgrade_makes_it(app: typer.Typer, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["db", "status"])
    assert result.exit_code == 1 and "还没有数据库" in result.output and not (tmp_path / "data").exists()
    assert CliRunner().invoke(app, ["db", "upgrade"]).exit_code == 0
    result = CliRunner().invoke(app, ["db", "status"])
    assert result.exit_code == 0 and "正常" in result.output
