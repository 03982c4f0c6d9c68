from __future__ import annotations

import sqlite3
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accordeur.core.cache import AnswerCache
from accordeur.store import SqliteAnswerCache, cache_key

Child = Callable[..., subprocess.Popen[str]]
Together = Callable[..., list[str]]

PARTS: dict[str, Any] = {
    "model": {"name": "local/smollm2", "digest": "d" * 64},
    "parts": "p" * 64,
    "request": [{"role": "user", "content": "Where is my card?"}],
    "decoding": {"max_tokens": 8, "temperature": 0.0},
    "engine": "accordeur-torch 1",
    "dtype": "bfloat16",
    "batch_policy": {"tokens": 4096},
    "repeat": 0,
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "answers.sqlite"


def test_it_is_what_core_calls_an_answer_cache(path: Path) -> None:
    with SqliteAnswerCache(path) as cache:
        typed: AnswerCache = cache
        typed.put_many({"k": {"text": "hello", "scores": [-0.1, 1 / 3]}})
        assert typed.get_many(["k", "other"]) == {"k": {"text": "hello", "scores": [-0.1, 1 / 3]}}


def test_entries_survive_and_are_never_changed(path: Path) -> None:
    with SqliteAnswerCache(path) as cache:
        cache.put_many({"k": {"text": "first", "odd": "\ud83d é"}})
        cache.put_many({"k": {"text": "second"}, "j": {"text": "new"}})
    with SqliteAnswerCache(path) as cache:
        found = cache.get_many(["k", "j", "k"])
    assert found == {"k": {"text": "first", "odd": "\ud83d é"}, "j": {"text": "new"}}


def test_more_keys_than_one_statement_takes_are_found(path: Path) -> None:
    entries = {f"key-{n}": {"n": n} for n in range(2345)}
    with SqliteAnswerCache(path) as cache:
        cache.put_many(entries)
        assert cache.get_many([*entries, "absent"]) == entries
        stats = cache.stats()
    assert (stats.entries, stats.hits, stats.misses) == (2345, 2345, 1)
    assert stats.bytes > 0
    assert stats.oldest is not None


@pytest.mark.parametrize("name", list(PARTS))
def test_whatever_can_change_an_answer_changes_its_key(name: str) -> None:
    changed = {**PARTS, name: {"another": 1} if isinstance(PARTS[name], dict) else "another"}
    if name == "repeat":
        changed["repeat"] = 1
    assert cache_key(**changed) != cache_key(**PARTS)
    assert cache_key(**dict(reversed(PARTS.items()))) == cache_key(**PARTS)


def test_a_key_cannot_forget_a_part() -> None:
    with pytest.raises(TypeError):
        cache_key(**{name: value for name, value in PARTS.items() if name != "dtype"})


def test_pruning_forgets_what_was_not_used_for_long(path: Path) -> None:
    with SqliteAnswerCache(path) as cache:
        cache.put_many({f"k{n}": {"n": n} for n in range(10)})
        _age(path, "k0", "k1", "k2", days=40)
        assert cache.get_many(["k0"]) == {"k0": {"n": 0}}  # used again today
        assert cache.prune(older_than_days=30) == 2
        assert set(cache.get_many([f"k{n}" for n in range(10)])) == {
            "k0",
            *(f"k{n}" for n in range(3, 10)),
        }


def test_pruning_to_a_size_keeps_what_was_used_last(path: Path) -> None:
    with SqliteAnswerCache(path) as cache:
        cache.put_many({f"k{n}": {"text": f"{n}" * 50} for n in range(10)})
        each = cache.stats().bytes // 10
        _age(path, "k4", days=3)
        _age(path, "k7", days=2)
        assert cache.prune(max_bytes=each * 8) == 2
        assert set(cache.get_many(["k4", "k7", "k1"])) == {"k1"}
        assert cache.prune(max_bytes=0) == 8
        assert cache.stats().entries == 0
        assert cache.prune() == 0


@pytest.mark.parametrize("harm", ["garbage", "header", "middle"])
def test_a_damaged_file_is_moved_aside_and_a_fresh_one_begun(
    path: Path, warnings: list[str], harm: str
) -> None:
    entries = {f"key-{n}": {"text": f"{n} " * 40} for n in range(800)}
    with SqliteAnswerCache(path) as cache:
        cache.put_many(entries)
    data = bytearray(path.read_bytes())
    if harm == "garbage":
        data = bytearray(b"not a database at all " * 1000)
    elif harm == "header":
        data[:50] = b"\xff" * 50
    else:
        data[4096:] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(data)
    with SqliteAnswerCache(path, warn=warnings.append) as cache:
        found = cache.get_many(list(entries))
        assert all(entries[key] == value for key, value in found.items())
        cache.put_many({"new": {"a": 1}})
        assert cache.enabled
        assert cache.get_many(["new"]) == {"new": {"a": 1}}
    assert len(warnings) == 1
    assert "damaged" in warnings[0]
    (aside,) = path.parent.glob("answers.sqlite.corrupt-*")
    assert aside.name in warnings[0]
    assert aside.read_bytes()[:64] == bytes(data[:64])


def test_a_file_damaged_while_it_is_open_does_not_end_the_run(
    path: Path, warnings: list[str]
) -> None:
    entries = {f"key-{n}": {"text": f"{n} " * 40} for n in range(3000)}
    with SqliteAnswerCache(path, warn=warnings.append) as cache:
        cache.put_many(entries)
        checkpoint = sqlite3.connect(path)
        checkpoint.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        checkpoint.close()
        with path.open("r+b") as file:
            file.write(b"\x5a" * path.stat().st_size)
        found = cache.get_many(list(entries))
        assert all(entries[key] == value for key, value in found.items())
        cache.put_many({"new": {"a": 1}})
    with SqliteAnswerCache(path, warn=warnings.append) as cache:
        cache.put_many({"new": {"a": 1}})
        assert cache.get_many(["new"]) == {"new": {"a": 1}}
    assert len(warnings) == 1
    assert "damaged" in warnings[0]


def test_a_damaged_value_is_as_absent(path: Path) -> None:
    with SqliteAnswerCache(path) as cache:
        cache.put_many({"a": {"x": 1}, "b": {"x": 2}})
        with sqlite3.connect(path) as other:
            other.execute("UPDATE answers SET value = substr(value, 1, 5) WHERE key = 'a'")
        other.close()
        assert cache.get_many(["a", "b"]) == {"b": {"x": 2}}
        cache.put_many({"a": {"x": 3}})
        assert cache.get_many(["a"]) == {"a": {"x": 3}}


def test_a_file_of_a_newer_version_is_left_alone_and_the_cache_is_off(
    path: Path, warnings: list[str]
) -> None:
    SqliteAnswerCache(path).close()
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version = 99")
    other.close()
    with SqliteAnswerCache(path, warn=warnings.append) as cache:
        assert not cache.enabled
        cache.put_many({"a": {}})
        assert cache.get_many(["a"]) == {}
    assert "newer version" in warnings[0]
    assert path.is_file()


def test_an_older_schema_is_brought_up_to_date_with_its_entries(path: Path) -> None:
    from accordeur.store.answer_cache import MIGRATIONS
    from accordeur.store.database import connect

    path.parent.mkdir()
    old = connect(path, MIGRATIONS[:1])
    old.close()
    with SqliteAnswerCache(path) as cache:
        cache.put_many({"a": {"x": 1}})
        assert cache.get_many(["a"]) == {"a": {"x": 1}}
    with sqlite3.connect(path) as other:
        assert other.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    other.close()


def test_where_nothing_can_be_written_the_cache_is_off(tmp_path: Path, warnings: list[str]) -> None:
    (tmp_path / "file").write_text("")
    with SqliteAnswerCache(tmp_path / "file" / "answers.sqlite", warn=warnings.append) as cache:
        assert not cache.enabled
        cache.put_many({"a": {}})
        assert cache.get_many(["a"]) == {}
        assert cache.prune(max_bytes=0) == 0
        assert cache.stats().entries == 0
    assert len(warnings) == 1
    assert "switched off" in warnings[0]


def test_a_full_disk_switches_the_cache_off_and_nothing_is_raised(
    small_disk: Path, warnings: list[str]
) -> None:
    with SqliteAnswerCache(small_disk / "answers.sqlite", warn=warnings.append) as cache:
        for n in range(400):
            cache.put_many({f"{n}-{k}": {"text": f"{n * k} {n} {k}"} for k in range(20)})
        assert not cache.enabled
    assert len(warnings) == 1
    assert "switched off" in warnings[0]
    with SqliteAnswerCache(small_disk / "answers.sqlite", warn=warnings.append) as cache:
        cache.get_many(["0-0"])
        cache.put_many({"x": {}})


def test_a_file_size_limit_switches_the_cache_off_and_nothing_is_raised(
    path: Path, child: Child
) -> None:
    code = """
import resource, sys
from pathlib import Path
from accordeur.store import SqliteAnswerCache
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
with SqliteAnswerCache(Path(sys.argv[1]), warn=print) as cache:
    for n in range(200):
        cache.put_many({f"{n}-{k}": {"text": f"{n * k} {n} {k}"} for k in range(20)})
    print("enabled", cache.enabled)
"""
    out, err = child(code, path).communicate(timeout=60)
    assert err == ""
    assert "switched off" in out
    assert out.endswith("enabled False\n")
    with SqliteAnswerCache(path) as cache:
        assert cache.get_many(["0-0"]) == {"0-0": {"text": "0 0 0"}}


def test_processes_that_begin_and_write_at_once_all_succeed(path: Path, together: Together) -> None:
    code = """
import sys
from pathlib import Path
from accordeur.store import SqliteAnswerCache
START
with SqliteAnswerCache(Path(sys.argv[1]), warn=print) as cache:
    for n in range(60):
        cache.put_many({f"{sys.argv[2]}-{n}-{k}": {"n": n} for k in range(5)})
        cache.put_many({f"shared-{n}": {"n": n}})
        assert len(cache.get_many([f"{sys.argv[2]}-{n}-{k}" for k in range(5)])) == 5
"""
    assert together(code, 3, path) == ["", "", ""]
    with SqliteAnswerCache(path) as cache:
        assert cache.stats().entries == 3 * 300 + 60


def test_processes_that_meet_a_damaged_file_begin_one_fresh_one(
    path: Path, together: Together
) -> None:
    path.parent.mkdir()
    path.write_bytes(b"garbage" * 2000)
    code = """
import sys
from pathlib import Path
from accordeur.store import SqliteAnswerCache
START
with SqliteAnswerCache(Path(sys.argv[1]), warn=print) as cache:
    cache.put_many({sys.argv[2]: {}})
    assert cache.enabled
"""
    told = "".join(together(code, 4, path))
    assert told.count("damaged") == 1
    assert len(list(path.parent.glob("*.corrupt-*"))) == 1
    with SqliteAnswerCache(path) as cache:
        assert len(cache.get_many(["0", "1", "2", "3"])) == 4


def test_kill_9_while_writing_leaves_whole_batches(path: Path, child: Child) -> None:
    code = """
import sys
from pathlib import Path
from accordeur.store import SqliteAnswerCache
with SqliteAnswerCache(Path(sys.argv[1])) as cache:
    for n in range(100_000):
        cache.put_many({f"{n}-{k}": {"n": n} for k in range(7)})
        print(n, flush=True)
"""
    process = child(code, path)
    assert process.stdout is not None
    for _ in range(20):
        process.stdout.readline()
    process.kill()
    process.wait()
    last = int(["19", *process.stdout.read().split()][-1])
    with SqliteAnswerCache(path) as cache:
        assert len(cache.get_many([f"{n}-{k}" for n in range(last) for k in range(7)])) == 7 * last
        assert cache.stats().entries % 7 == 0


def test_threads_share_one_cache(path: Path) -> None:
    with SqliteAnswerCache(path) as cache:

        def work(name: int) -> None:
            for n in range(30):
                cache.put_many({f"{name}-{n}": {"n": n}})
                cache.get_many([f"{name}-{n}"])

        threads = [threading.Thread(target=work, args=(name,)) for name in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        stats = cache.stats()
    assert (stats.entries, stats.hits, stats.misses) == (180, 180, 0)


def test_after_closing_it_finds_nothing_and_raises_nothing(path: Path) -> None:
    cache = SqliteAnswerCache(path)
    cache.put_many({"a": {}})
    cache.close()
    cache.close()
    assert cache.get_many(["a"]) == {}
    assert not cache.enabled


def _age(path: Path, *keys: str, days: float) -> None:
    """Set the last use of entries back, as the calendar would."""
    other = sqlite3.connect(path)
    with other:
        for key in keys:
            other.execute("UPDATE answers SET used = used - ? WHERE key = ?", (days * 86400, key))
    other.close()
