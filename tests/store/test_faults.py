"""Made-up data. What happens to the store when the machine, the key, the disk or a neighbour fails."""

from __future__ import annotations

import asyncio
import os
import random
import re
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from cryptography.fernet import Fernet

import bot.store
from bot.store import (
    Corrupt,
    DiskFull,
    NewDelivery,
    Outdated,
    Store,
    StoreError,
    Unreachable,
    Unwritable,
    Vault,
    VaultError,
)
from tests.store.conftest import NOW, POSTGRES, empty_postgres, turn

ROOT = Path(__file__).parents[2]


def url(folder: Path) -> str:
    """A database in `folder`."""
    return f"sqlite:///{folder}/qtic.db"


async def filled(folder: Path, key: str | None = None) -> None:
    """A database with one turn."""
    async with await Store.open(url(folder), Vault(key, folder / "secret.key")) as store:
        await store.save_turn(await store.load("c1", "web", NOW), turn())


def start(folder: Path, conversation: str) -> subprocess.Popen[str]:
    """A process that writes turns."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.store.writer", str(folder), conversation],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


@pytest.mark.timeout(240)
async def test_every_acknowledged_turn_survives_sigkill_whole(tmp_path: Path) -> None:
    rng = random.Random(7)
    last = 0
    for _ in range(6):
        child = start(tmp_path, "c1")
        assert child.stdout is not None
        for _ in range(rng.randint(1, 12)):
            line = await asyncio.to_thread(child.stdout.readline)
            if line.strip().isdigit():
                last = int(line)
        await asyncio.sleep(rng.random() * 0.02)
        child.kill()
        for line in child.stdout.read().splitlines():
            last = int(line) if line.strip().isdigit() else last
        child.wait()
        child.stdout.close()
        async with await Store.open(url(tmp_path), Vault(path=tmp_path / "secret.key")) as store:
            kept = await store.conversations.history("c1", limit=10**6)
            draft = await store.forms.draft("c1")
            assert len(kept) >= last  # one more may be kept than was acknowledged
            assert [k.turn.text for k in kept] == [f"问{n}" for n in range(1, len(kept) + 1)]
            assert draft is not None and len(draft.answers) == draft.version == len(kept)
            assert await store.outbox.counts() == {"waiting": len(kept)}
    assert last > 0


@pytest.mark.timeout(120)
async def test_several_processes_may_start_at_once_on_one_empty_folder(tmp_path: Path) -> None:
    children = [start(tmp_path / "new", f"c{n}") for n in range(4)]
    for child in children:
        assert child.stdout is not None
        line = ""
        while not line.strip().isdigit():
            line = await asyncio.to_thread(child.stdout.readline)
            assert line, "the process ended"
    for child in children:
        child.kill()
        child.wait()
        assert child.stdout is not None
        child.stdout.close()
    async with await Store.open(url(tmp_path / "new"), Vault(path=tmp_path / "new/secret.key")) as store:
        for n in range(4):
            assert (await store.load(f"c{n}", "web", NOW)).turns[0].text.startswith("问")


@pytest.mark.skipif(not POSTGRES, reason="QTIC_TEST_POSTGRES not set")
async def test_several_processes_may_start_at_once_on_one_empty_postgres(tmp_path: Path) -> None:
    await empty_postgres()
    path = tmp_path / "secret.key"
    stores = await asyncio.gather(*(Store.open(POSTGRES, Vault(path=path)) for _ in range(5)))
    assert len({store._db.vault.keyed_hash("x") for store in stores}) == 1
    for store in stores:
        await store.close()


async def test_a_generated_key_is_for_its_owner_only_and_stays(tmp_path: Path) -> None:
    await filled(tmp_path)
    path = tmp_path / "secret.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    key = path.read_bytes()
    await filled_again(tmp_path)
    assert path.read_bytes() == key
    assert [p.name for p in tmp_path.iterdir() if "secret" in p.name] == ["secret.key"]


async def filled_again(folder: Path) -> None:
    """Open and read what `filled` wrote."""
    async with await Store.open(url(folder), Vault(path=folder / "secret.key")) as store:
        assert len((await store.load("c1", "web", NOW)).turns) == 1


async def test_a_wrong_lost_or_malformed_key_is_said_and_harms_nothing(tmp_path: Path) -> None:
    await filled(tmp_path)
    path = tmp_path / "secret.key"
    key = path.read_bytes()
    for wrong, said in (
        (Fernet.generate_key(), "vault_wrong_key"),
        (b"not a key", "vault_bad_key"),
        (None, "vault_no_key_file"),
    ):
        path.unlink()
        if wrong is not None:
            path.write_bytes(wrong)
        with pytest.raises(VaultError, match=said):
            await Store.open(url(tmp_path), Vault(path=path))
        assert path.exists() == (wrong is not None)
        path.write_bytes(key)
        await filled_again(tmp_path)
    with pytest.raises(VaultError, match="vault_bad_key"):
        Vault("abc")
    with pytest.raises(VaultError, match="vault_no_key"):
        Vault()


async def test_a_new_key_in_front_reads_the_old_data_and_finds_the_same_persons(tmp_path: Path) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    async with await Store.open(url(tmp_path), Vault(old)) as store:
        person = await store.persons.remember("web", "x")
    async with await Store.open(url(tmp_path), Vault(f"{new},{old}")) as store:
        assert await store.persons.remember("web", "x") == person
        assert await store.persons.address(person) == "x"


async def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unwritable):
        await Store.open(url(tmp_path / "file"), Vault(path=tmp_path / "k"))
    (tmp_path / "folder/qtic.db").mkdir(parents=True)
    with pytest.raises(Unwritable):
        await Store.open(url(tmp_path / "folder"), Vault(path=tmp_path / "k"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_read_only_folder_is_said(tmp_path: Path) -> None:
    await filled(tmp_path)
    tmp_path.chmod(0o500)
    (tmp_path / "qtic.db").chmod(0o400)
    with pytest.raises(Unwritable):
        await filled(tmp_path)
    tmp_path.chmod(0o700)


async def test_a_full_disk_is_said_loses_nothing_acknowledged_and_can_be_gone_on_from(
    tmp_path: Path,
) -> None:
    store = await Store.open(url(tmp_path), Vault(path=tmp_path / "secret.key"))

    async def pages(limit: int) -> None:
        async with store._db.write() as connection:
            await connection.exec_driver_sql(f"PRAGMA max_page_count={limit}")

    async with store._db.read() as connection:
        used = (await connection.exec_driver_sql("PRAGMA page_count")).scalar_one()
    await pages(used + 10)
    acknowledged = 0
    with pytest.raises(DiskFull):
        for n in range(1000):
            conversation = await store.load("c1", "web", NOW)
            delivery = NewDelivery("c1", "web", turn().reply, "answer", f"k{n}")
            await store.save_turn(conversation, turn("问" * 300), deliveries=[delivery])
            acknowledged += 1
    assert len((await store.load("c1", "web", NOW, history=1000)).turns) == acknowledged > 0
    assert await store.outbox.counts() == {"waiting": acknowledged}
    await pages(10**6)
    await store.save_turn(await store.load("c1", "web", NOW), turn())
    await store.close()


async def test_a_file_that_is_no_database_is_said_and_left_alone(tmp_path: Path) -> None:
    rubbish = b"no database at all " * 300
    (tmp_path / "qtic.db").write_bytes(rubbish)
    with pytest.raises(Corrupt):
        await Store.open(url(tmp_path), Vault(path=tmp_path / "k"))
    assert (tmp_path / "qtic.db").read_bytes() == rubbish


async def test_tables_of_a_later_program_or_of_somebody_else_are_said_and_left_alone(tmp_path: Path) -> None:
    await filled(tmp_path)
    with sqlite3.connect(tmp_path / "qtic.db") as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()
    with pytest.raises(Outdated, match="newer"):
        await Store.open(url(tmp_path), Vault(path=tmp_path / "secret.key"))
    with sqlite3.connect(tmp_path / "qtic.db") as raw:
        raw.execute("DROP TABLE alembic_version")
    raw.close()
    with pytest.raises(Corrupt, match="foreign"):
        await Store.open(url(tmp_path), Vault(path=tmp_path / "secret.key"))


async def test_a_store_opened_for_reading_writes_nothing_and_makes_no_file(tmp_path: Path) -> None:
    vault = Vault(path=tmp_path / "secret.key")
    with pytest.raises(StoreError, match="no_database"):
        await Store.open(url(tmp_path), vault, read_only=True)
    assert list(tmp_path.iterdir()) == []
    await filled(tmp_path)
    before = (tmp_path / "qtic.db").read_bytes()
    async with await Store.open(url(tmp_path), vault, read_only=True) as store:
        assert len((await store.load("c1", "web", NOW)).turns) == 1
        with pytest.raises(Unwritable):
            await store.save_turn(await store.load("c2", "web", NOW), turn())
    assert (tmp_path / "qtic.db").read_bytes() == before


async def test_a_server_that_does_not_answer_is_said(tmp_path: Path) -> None:
    with pytest.raises(Unreachable):
        await Store.open("postgresql://nobody@127.0.0.1:1/none", Vault(path=tmp_path / "k"))
    for wrong in ("mysql://x/y", "no address", ""):
        with pytest.raises(StoreError, match="bad_address"):
            await Store.open(wrong, Vault(path=tmp_path / "k"))


def test_opening_the_store_again_does_not_import_alembic(tmp_path: Path) -> None:
    code = (
        "import asyncio, sys; from tests.store.test_faults import *\n"
        "f = Path(sys.argv[1]); asyncio.run(filled(f)); "
        "print(any(m.startswith('alembic') for m in sys.modules))"
    )
    for expected in ("True", "False"):
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, cwd=ROOT, check=True
        )
        assert done.stdout.split()[-1] == expected


def test_every_error_has_its_sentence() -> None:
    texts = yaml.safe_load((ROOT / "prompts/texts/store.yaml").read_text("utf-8"))
    used: set[str] = set()
    for path in Path(bot.store.__file__).parent.rglob("*.py"):
        source = path.read_text("utf-8")
        used |= set(re.findall(r'^    key = "(\w+)"', source, re.MULTILINE))
        kinds = "StoreError|Refused|Stale|Corrupt|Outdated|Unwritable|VaultError"
        used |= set(re.findall(rf'(?:{kinds})\(\s*"(\w+)"', source))
    used |= {"code_unknown", "code_used", "code_expired"}
    assert used == set(texts)
    assert all(set(text) <= {"operator", "person"} and text["operator"] for text in texts.values())
