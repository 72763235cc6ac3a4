"""Reading files that nobody vouches for: parsers of complex formats run in a process of their own.

A parser that crashes, hangs or eats memory costs one file, not the ingestion. `python -c "...worker..."` reads requests from
standard input (a line of JSON, then the bytes) and writes a line of JSON a reply; no pickle, since the child is not trusted.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from rag_agent.documents.blocks import Block, Section
from rag_agent.documents.formats import FORMATS, extract, suffix_of
from rag_agent.documents.reading import Reading, Unreadable, damage, on_part, read_bytes, read_text
from rag_agent.documents.structures import TEXTS, structure

SECONDS = 60.0
"""How long one file may take; in formats that have pages, one page."""
_MOST = 60
"""How many times that all pages of a file may take together."""
_MEMORY = 2 * 1024**3
_PART = b"\n"
"""What the worker writes whenever it has read a page."""
_MAIN = "from rag_agent.documents.isolation import serve; serve()"


class Reader:
    """Reads files of every kind; several threads may share it. Use it as a context manager: it starts processes."""

    def __init__(self, seconds: float = SECONDS) -> None:
        """Start nothing yet; `seconds` is how long one file may take."""
        self._seconds = seconds
        self._idle: list[_Worker] = []
        self._lock = threading.Lock()

    def read(self, path: Path) -> Reading:
        """The text of a file.

        Raises:
            Unreadable: It cannot be read; the message says why.
        """
        suffix = suffix_of(path.name)
        if suffix not in FORMATS:
            return _of_text(suffix, *read_text(path))
        data = read_bytes(path)
        if not data:
            raise Unreadable("empty")
        with self._lock:
            worker = self._idle.pop() if self._idle else _Worker()
        try:
            return worker.extract(suffix, data, self._seconds)
        finally:
            with self._lock:
                self._idle += [worker] if worker.alive else []

    def close(self) -> None:
        """End the processes."""
        with self._lock:
            while self._idle:
                self._idle.pop().stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _of_text(suffix: str, text: str, encoding: str) -> Reading:
    """A file whose text is its own; the patterns that look for its structure take time that grows with its length alone."""
    if suffix not in TEXTS:
        return Reading(text, encoding)
    blocks, sections, title = structure(suffix, text)
    return Reading(text, encoding, sections, blocks, title, told=damage(text, encoding))


def alone(main: str) -> tuple[list[str], dict[str, str]]:
    """The command and the environment of a Python that runs some code of this package, and none of the folder the user is in."""
    root = str(Path(__file__).parents[2])
    # Neither by -P, nor by an empty or relative entry.
    inherited = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if os.path.isabs(entry)]
    return [sys.executable, "-P", "-c", main], {**os.environ, "PYTHONPATH": os.pathsep.join([root, *inherited])}


class _Worker:
    """One process, which serves one request at a time."""

    def __init__(self) -> None:
        command, environment = alone(_MAIN)
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=os.sep,
            start_new_session=True,  # Ctrl-C is for the ingestion, which ends its workers itself
        )

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def extract(self, suffix: str, data: bytes, seconds: float) -> Reading:
        assert self._process.stdin and self._process.stdout
        late = threading.Event()
        end = time.monotonic() + _MOST * seconds
        timer = self._timer(seconds, late)
        try:
            self._process.stdin.write(json.dumps({"suffix": suffix, "size": len(data)}).encode() + b"\n")
            self._process.stdin.write(data)
            self._process.stdin.flush()
            while (line := self._process.stdout.readline()) == _PART:
                timer.cancel()
                timer = self._timer(min(seconds, end - time.monotonic()), late)
            reply = json.loads(line) if line.endswith(b"\n") else None
        except OSError:
            reply = None
        except BaseException:
            self.stop()  # its answer would be taken for the next file's
            raise
        finally:
            timer.cancel()
        if reply is None:
            self.stop()
            raise Unreadable(f"reading it took longer than {seconds:g} s" if late.is_set() else "its parser crashed over it")
        if "reason" in reply:
            raise Unreadable(reply["reason"])
        return Reading(
            reply["text"],
            reply["encoding"],
            tuple(Section(*section) for section in reply["sections"]),
            tuple(Block(kind, start, end, level, tuple(names)) for kind, start, end, level, names in reply["blocks"]),
            reply["title"],
            True,
            tuple(reply["told"]),
        )

    def _timer(self, seconds: float, late: threading.Event) -> threading.Timer:
        timer = threading.Timer(max(0.0, seconds), self._late, [late])
        timer.daemon = True
        timer.start()
        return timer

    def _late(self, late: threading.Event) -> None:
        late.set()
        self._kill()

    def _kill(self) -> None:
        """End the process and the programs that it runs: they are a group of their own."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def stop(self) -> None:
        self._kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            try:
                if pipe:
                    pipe.close()
            except OSError:
                pass  # what was still to be written has nobody to read it


def serve() -> None:
    """The worker's side: requests in, replies out, until standard input ends."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a library that prints must not end up among the replies

    def part() -> None:
        replies.write(_PART)
        replies.flush()

    on_part(part)
    while header := sys.stdin.buffer.readline():
        request = json.loads(header)
        data = sys.stdin.buffer.read(request["size"])
        try:
            reading = extract(request["suffix"], data)
            reply = vars(reading)
        except Unreadable as reason:
            reply = {"reason": str(reason)}
        replies.write(json.dumps(reply).encode() + b"\n")
        replies.flush()
