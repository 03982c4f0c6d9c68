from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from accordeur.store.database import NewerSchema, connect, inode, move_aside, transaction


def _one(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE one (x)")


def _two(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE two (x)")


def _broken(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE half (x)")
    connection.execute("no such statement")


def _insert_and_fail(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO one VALUES (1)")
    connection.execute("no such statement")


def tables(connection: sqlite3.Connection) -> list[str]:
    return [name for (name,) in connection.execute("SELECT name FROM sqlite_master ORDER BY name")]


def test_migrations_run_once_in_order(tmp_path: Path) -> None:
    connect(tmp_path / "d", [_one]).close()
    database = connect(tmp_path / "d", [_one, _two])
    assert tables(database) == ["one", "two"]
    database.close()
    connect(tmp_path / "d", [_one, _two]).close()


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    connect(tmp_path / "d", [_one]).close()
    with pytest.raises(sqlite3.Error):
        connect(tmp_path / "d", [_one, _two, _broken])
    database = connect(tmp_path / "d", [_one])
    assert tables(database) == ["one"]
    database.close()


def test_a_schema_of_the_future_is_refused(tmp_path: Path) -> None:
    connect(tmp_path / "d", [_one, _two]).close()
    with pytest.raises(NewerSchema, match="newer version"):
        connect(tmp_path / "d", [_one])


def test_a_transaction_is_whole_or_nothing(tmp_path: Path) -> None:
    database = connect(tmp_path / "d", [_one])
    with pytest.raises(sqlite3.OperationalError), transaction(database):
        _insert_and_fail(database)
    with transaction(database):
        database.execute("INSERT INTO one VALUES (2)")
    assert database.execute("SELECT x FROM one").fetchall() == [(2,)]
    database.close()


def test_a_file_that_another_process_has_replaced_is_not_moved(tmp_path: Path) -> None:
    path = tmp_path / "d"
    path.write_bytes(b"damaged")
    seen = inode(path)
    (tmp_path / "fresh").write_bytes(b"fresh")
    (tmp_path / "fresh").replace(path)
    assert move_aside(path, seen) is None
    assert path.read_bytes() == b"fresh"
    aside = move_aside(path, inode(path))
    assert aside is not None
    assert aside.read_bytes() == b"fresh"
    assert not path.exists()
