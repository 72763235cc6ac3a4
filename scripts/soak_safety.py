"""Fuzzed files, imports, index files, TOML files and questions: no traceback, nothing written outside the home, no orphan.

scripts/soak safety [--count 100000] [--seed 0]

Each case is made of a seed of its own, so that `--seed N --count 1` repeats one. Half are broken copies of what is well formed
(bytes changed, cut, doubled, swapped), half are strings of hostile pieces. A listing of everything outside the home, with
sizes and times, is compared before and after; so are the child processes.
"""

import argparse
import base64
import hashlib
import json
import logging
import os
import random
import shutil
import sqlite3
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rag_agent.agent import RagAgent
from rag_agent.documents import Reader, Splitter, Unreadable
from rag_agent.errors import RagAgentError
from rag_agent.index import Index
from rag_agent.settings import TOML_FILE, Settings
from rag_agent.testing import CountEmbeddings, ScriptedChat

PIECES = [
    b'../../etc/passwd', b'\x00', b'\xff\xfe', b'\xed\xa0\x80', b'\x1b]52;c;eA==\x07', b'\xe2\x80\xae', b'---\n', b'\n\n',
    b'<div>', b']]>', b'<!--', b'&#x110000;', b'{', b'[', b"[" * 200, b'"', b'\\ud800', b'1e999', b"9" * 400, b'-1',
    b'NaN', b'null', b'20 July 1969', b'1969-99-99', b"home = '/tmp/evil'\n", b"docs = '/'\n", b"model = 'ollama:x'\n",
    b'k = 3\n', b'k = -1\n', b'[generation]\n', b'tracing = true\n', b'Who landed on the Moon?',
    b'shorten that to 3 words', b'and when was he born', b'<|im_start|>system\n', b'a,b;c\td|e\n', b"' OR 1=1 --",
    b'not only ', b'instead of it, ', b'\xe6\x9c\x88', b'\xf0\x9f\x91\xa9\xe2\x80\x8d', b'%s%n', b'${HOME}', b'`id`',
    b'$(id)',
]  # fmt: skip
SUFFIXES = (".txt", ".md", ".html", ".csv", ".json", ".jsonl", ".tsv")
WEIGHTS = {"file": 40, "question": 25, "toml": 15, "import": 12, "index": 8}


def broken(whole: bytes, chance: random.Random) -> bytes:
    """A well-formed thing with a few changes."""
    data = bytearray(whole)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(5):
            case 0:
                data[at : at + chance.randint(1, 8)] = chance.choice(PIECES)
            case 1:
                del data[at : at + chance.randint(1, max(1, len(data) // 4))]
            case 2:
                data[at:at] = chance.choice(PIECES)
            case 3:
                data[at:at] = data[at : at + 50]
            case _:
                if at < len(data):
                    data[at] ^= 1 << chance.randrange(8)
    return bytes(data)


def strung(chance: random.Random) -> bytes:
    """Hostile pieces in a row."""
    return b"".join(chance.choice(PIECES) for _ in range(chance.randint(1, 12)))


class Soak:
    """Everything that is fuzzed, in a folder of its own: `home` may be written to, `rest` may not."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home, self.rest = folder, folder / "home", folder / "rest"
        for name in ("docs", "work", "victim"):
            (self.rest / name).mkdir(parents=True)
        (self.rest / "victim" / "kept.txt").write_text("kept", encoding="utf-8")
        (self.rest / "docs" / "moon.txt").write_text(
            "Neil Armstrong landed on the Moon on 20 July 1969.\n---\nCollins stayed in orbit.\n", encoding="utf-8"
        )
        os.environ["HOME"] = str(folder / "home")
        os.chdir(self.rest / "work")
        self.reader = Reader(seconds=10)
        self.agent = RagAgent(
            self.rest / "docs",
            model=ScriptedChat(lambda messages: str(messages[-1].content)[-200:]),
            embeddings=CountEmbeddings(("moon", "orbit")),
            home=self.home / "agent",
        )
        self.agent.ask("Who landed on the Moon?", thread_id="t")
        self.export: dict[str, Any] = json.loads(self.agent.threads.export("t"))
        index = self.index()
        index.update()
        index.close()
        assert index.path
        with sqlite3.connect(index.path) as connection:  # one file, without a log beside it
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.execute("PRAGMA journal_mode = DELETE")
        connection.close()
        self.whole_index = index.path.read_bytes()

    def index(self) -> Index:
        """A second index of the documents, which is fuzzed."""
        return Index(self.rest / "docs", self.home / "fuzzed", CountEmbeddings(("moon", "orbit")), "counts", Splitter())

    def file(self, chance: random.Random) -> None:
        """A document."""
        whole = b'# Moon\n\nNeil landed. [x](y)\n\n| a | b |\n|---|---|\n| 1 | 2 |\n<p hidden>x</p>\n{"a": [1, 2]}\n'
        path = self.home / f"case{chance.choice(SUFFIXES)}"
        path.write_bytes(broken(whole, chance) if chance.random() < 0.5 else strung(chance))
        try:
            list(Splitter().chunks_of(self.reader.read(path)))
        except Unreadable:
            pass

    def question(self, chance: random.Random) -> None:
        """A question, in a conversation or alone."""
        whole = b"And when did he, who landed on the Moon on 20 July 1969, come back (in 3 words)?"
        text = (broken(whole, chance) if chance.random() < 0.5 else strung(chance)).decode("utf-8", "surrogateescape")
        thread = chance.choice((None, None, "t", text[:20] or "u"))
        self.agent.ask(text, thread_id=thread)
        if thread not in (None, "t"):
            self.agent.threads.delete(str(thread))
        elif thread == "t" and len(self.agent.threads.show("t")) > 20:
            self.agent.threads.delete("t")
            self.agent.ask("Who landed on the Moon?", thread_id="t")

    def toml(self, chance: random.Random) -> None:
        """A file of settings in the working folder."""
        whole = b"k = 4\nchunk_size = 300\nhome = '../victim'\nmodel = 'embedded'\n[generation]\ntemperature = 0.5\n"
        path = Path(TOML_FILE)
        lines = [line for line in whole.splitlines(keepends=True) if chance.random() < 0.6]
        path.write_bytes(chance.choice((broken(whole, chance), strung(chance), b"".join(lines))))
        try:
            settings = Settings.load()
            assert settings.folder == Path.home() / ".rag-agent" and settings.docs is None and settings.model == "embedded"
        finally:
            path.unlink()

    def import_(self, chance: random.Random) -> None:
        """An export with a broken value, its checksum right."""
        from rag_agent.memory.transfer import _checksum

        content = json.loads(json.dumps(self.export))
        for _ in range(chance.randint(1, 2)):
            tables = content.get("rows")
            rows = chance.choice(list(tables.values()) or [[]]) if isinstance(tables, dict) else []
            row = chance.choice(rows) if isinstance(rows, list) and rows else []
            values: list[Any] = [None, -1, 10**30, "x", [], {}, "../victim", {"base64": "!"}, 1.5, True]
            if row and chance.random() < 0.4:
                row[chance.randrange(len(row))] = chance.choice(values)
            elif row and len(row) > 3 and isinstance(row[3], dict) and "base64" in row[3]:
                data = broken(base64.b64decode(row[3]["base64"]), chance)
                row[3] = {"base64": base64.b64encode(data).decode()}
                row[1] = {"base64": base64.b64encode(hashlib.sha256(str(row[2]).encode() + b"\0" + data).digest()).decode()}
            else:
                content[chance.choice(list(content))] = chance.choice(values)
        content.pop("sha256", None)
        text = json.dumps({**content, "sha256": _checksum(content)})
        if chance.random() < 0.2:
            text = broken(text.encode(), chance).decode("utf-8", "replace")
        kept = self.agent.threads.import_(text, "imported")
        self.agent.threads.list("moon")
        self.agent.threads.stale()
        self.agent.threads.export(kept, "markdown")
        self.agent.threads.delete(kept)

    def index_file(self, chance: random.Random) -> None:
        """An index file that somebody else wrote, or that the disk damaged."""
        found = self.index()
        assert found.path
        for suffix in ("-wal", "-shm"):
            Path(f"{found.path}{suffix}").unlink(missing_ok=True)
        found.path.write_bytes(self.whole_index if chance.random() < 0.5 else broken(self.whole_index, chance))
        try:
            with sqlite3.connect(found.path) as connection:
                table = chance.choice(("meta", "files", "texts", "vectors", "chunks"))
                column = chance.choice([row[1] for row in connection.execute(f"PRAGMA table_info({table})")] or ["x"])
                value = chance.choice((None, "", "../victim", "../../rest/victim", b"", b"\xff", -1, 2**62, "x" * 32, 1.5))
                connection.execute(f'UPDATE OR IGNORE {table} SET "{column}" = ?', (value,))
        except (sqlite3.Error, UnicodeDecodeError):  # too damaged to be damaged further
            pass
        finally:
            connection.close()
        if chance.random() < 0.3:
            shutil.rmtree(found.path.with_suffix(".arrays"), ignore_errors=True)
        try:
            for step in (lambda: found.update(), lambda: found.search([("moon", 1.0)], 5), lambda: found.update(rebuild=True)):
                try:
                    step()
                except RagAgentError as error:
                    one_line(error)
            assert found.search([("moon", 1.0)], 5), "an index that was made anew finds nothing"
        finally:
            found.close()


def one_line(error: RagAgentError) -> None:
    """What a person is told of an expected failure."""
    from rag_agent.visible import visible_line

    assert "\n" not in visible_line(error)


def listing(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Everything in a folder: size, rights, and what is in it."""
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        found[str(path)] = (status.st_size if path.is_file() else 0, status.st_mode, content)
    return found


def children() -> set[int]:
    """The processes that this one has started and that still run."""
    return {
        int(pid) for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text(encoding="ascii").split()
    }


def main() -> None:  # noqa: C901 - one run, told step by step
    """Run it; the exit status is 1 where anything went wrong."""
    parser = argparse.ArgumentParser(prog="soak safety")
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    logging.getLogger("rag_agent").addHandler(logging.NullHandler())
    for name in ("rag_agent", "langgraph"):
        logging.getLogger(name).propagate = False
    failed: list[str] = []
    told: Counter[str] = Counter()
    ran: Counter[str] = Counter()
    slowest: dict[str, tuple[float, int]] = {}
    with tempfile.TemporaryDirectory() as folder:
        soak = Soak(Path(folder))
        kinds: dict[str, Callable[[random.Random], None]] = {
            "file": soak.file, "question": soak.question, "toml": soak.toml, "import": soak.import_, "index": soak.index_file,
        }  # fmt: skip
        before, began = listing(soak.rest), time.perf_counter()
        outside = set(Path(tempfile.gettempdir()).iterdir())
        for seed in range(given.seed, given.seed + given.count):
            chance = random.Random(seed)
            [kind] = chance.choices(list(WEIGHTS), list(WEIGHTS.values()))
            ran[kind] += 1
            start = time.process_time()
            try:
                kinds[kind](chance)
            except RagAgentError as error:
                one_line(error)
                told[kind] += 1
            except Exception:
                failed.append(f"seed {seed} ({kind}):\n{traceback.format_exc()}")
                print(failed[-1], file=sys.stderr)
            slowest[kind] = max(slowest.get(kind, (0.0, 0)), (time.process_time() - start, seed))
            if len(failed) >= 20:
                break
            if (seed - given.seed) % 5000 == 4999:
                print(
                    f"{seed - given.seed + 1} cases, {time.perf_counter() - began:.0f} s, {len(failed)} failed", file=sys.stderr
                )
        soak.reader.close()
        soak.agent.close()
        after = listing(soak.rest)
        strange = {p for p in set(Path(tempfile.gettempdir()).iterdir()) - outside if "rag" in p.name or "evil" in p.name}
        left = children()
    if before != after or strange:
        failed.append(f"written outside the home: {sorted(set(before.items()) ^ set(after.items()))[:5]} {sorted(strange)}")
    if left:
        failed.append(f"child processes that outlive their command: {sorted(left)}")
    for kind in WEIGHTS:
        seconds, seed = slowest.get(kind, (0.0, 0))
        print(f"{kind}: {ran[kind]} cases, {told[kind]} told in a line; the slowest took {seconds:.2f} s (seed {seed})")
    print(f"{sum(ran.values())} cases, {len(failed)} failures; outside the home {len(before)} files and folders, compared")
    if failed:
        print("\n".join(failed[:5]), file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
