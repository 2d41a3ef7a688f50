import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from definitions import read_definition
from lineshaft.model.errors import ConfigurationError
from lineshaft.ports.ids import RandomIds
from lineshaft.store import SqlStore, open_store
from postgres import PostgresServer


async def opened(url: str) -> SqlStore:
    return await open_store(url, ids=RandomIds(), read_definition=read_definition)


@pytest.mark.parametrize(
    "url", ["", "lineshaft.db", "sqlite:///", "mysql://localhost/lineshaft", "postgresql", "SQLITE://"]
)
async def test_a_url_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="URL"):
        await opened(url)


async def test_a_path_may_hold_any_character(tmp_path: Path) -> None:
    folder = tmp_path / "a b?c=d%20#e;é"
    folder.mkdir()
    store = await opened(f"sqlite:///{folder / 'x.db'}")
    await store.close()

    assert (folder / "x.db").is_file()


async def test_a_path_may_be_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = await opened("sqlite:///lineshaft.db")
    await store.close()

    assert (tmp_path / "lineshaft.db").is_file()


async def test_a_closed_file_stands_alone(tmp_path: Path) -> None:
    store = await opened(f"sqlite:///{tmp_path / 'lineshaft.db'}")
    await store.read(lambda transaction: transaction.users.get("ann"))
    await store.close()

    assert sorted(path.name for path in tmp_path.iterdir()) == ["lineshaft.db", "lineshaft.db.lock"]


async def test_a_file_is_used_by_one_store_at_a_time(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'lineshaft.db'}"
    first = await opened(url)

    with pytest.raises(ConfigurationError, match="Another process"):
        await opened(url)

    await first.close()
    second = await opened(url)
    await second.close()


async def test_a_file_is_used_by_one_process_at_a_time(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'lineshaft.db'}"
    first = await opened(url)
    program = (
        "import asyncio, sys\n"
        "from lineshaft.ports.ids import RandomIds\n"
        "from lineshaft.store import open_store\n"
        "asyncio.run(open_store(sys.argv[1], ids=RandomIds(), read_definition=lambda *_: None))\n"
    )
    other = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", program, url], capture_output=True, text=True, check=False
    )
    await first.close()

    assert other.returncode == 1
    assert "Another process of Lineshaft uses the database" in other.stderr


async def test_a_directory_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="nowhere"):
        await opened(f"sqlite:///{tmp_path / 'nowhere' / 'lineshaft.db'}")


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lineshaft.db"
    path.write_bytes(b"something else altogether, and long enough to be looked at" * 100)

    with pytest.raises(ConfigurationError, match="not a database"):
        await opened(f"sqlite:///{path}")


async def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "theirs.db"
    theirs = sqlite3.connect(path)
    theirs.execute("CREATE TABLE users (name TEXT)")
    theirs.close()

    with pytest.raises(ConfigurationError, match="another program: users"):
        await opened(f"sqlite:///{path}")


async def test_a_database_that_postgresql_does_not_have_is_refused(postgres_server: PostgresServer) -> None:
    with pytest.raises(ConfigurationError, match=r"PostgreSQL refuses: database .* does not exist"):
        await opened(postgres_server.url("no_such_database"))


async def test_stores_that_open_an_empty_server_at_once_all_open(empty_postgres_url: str) -> None:
    stores = await asyncio.gather(*(opened(empty_postgres_url) for _ in range(3)))

    for store in stores:
        assert await store.read(lambda transaction: transaction.users.get("ann")) is None
        await store.close()


async def test_opening_loads_alembic_only_for_an_earlier_version(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys\n"
        "from lineshaft.ports.ids import RandomIds\n"
        "from lineshaft.store import open_store\n"
        "async def main():\n"
        "    store = await open_store(sys.argv[1], ids=RandomIds(), read_definition=lambda *_: None)\n"
        "    await store.close()\n"
        "asyncio.run(main())\n"
        "print(*sorted({'alembic', 'asyncpg'} & set(sys.modules)))\n"
    )
    url = f"sqlite:///{tmp_path / 'lineshaft.db'}"
    for _ in range(2):
        done = await asyncio.to_thread(
            subprocess.run, [sys.executable, "-c", program, url], capture_output=True, text=True, check=True
        )
        assert done.stdout == "\n"
