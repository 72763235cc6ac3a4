"""Reading files that nobody vouches for: parsers of complex formats run in a process of their own.

A parser that crashes, hangs or eats memory costs one file, not the ingestion. `python -c "...worker..."` reads requests from
standard input (a line of JSON, then the bytes) and writes a line of JSON a reply; no pickle, since the child is not trusted.
"""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from rag_agent.documents.blocks import Block, Section
from rag_agent.documents.formats import FORMATS, extract
from rag_agent.documents.reading import Reading, Unreadable, read_bytes, read_text

SECONDS = 60.0
"""How long one file may take."""
_MEMORY = 2 * 1024**3
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
        suffix = path.suffix.lower()
        if suffix not in FORMATS:
            return Reading(*read_text(path))
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


class _Worker:
    """One process, which serves one request at a time."""

    def __init__(self) -> None:
        root = str(Path(__file__).parents[2])
        # Nothing is imported from the folder that the user happens to be in: not by -P, nor by an empty or relative entry.
        inherited = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if os.path.isabs(entry)]
        path = os.pathsep.join([root, *inherited])
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _MAIN],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
            cwd=os.sep,
            start_new_session=True,  # Ctrl-C is for the ingestion, which ends its workers itself
        )

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def extract(self, suffix: str, data: bytes, seconds: float) -> Reading:
        assert self._process.stdin and self._process.stdout
        late = threading.Event()
        timer = threading.Timer(seconds, self._kill, [late])
        timer.daemon = True
        timer.start()
        try:
            self._process.stdin.write(json.dumps({"suffix": suffix, "size": len(data)}).encode() + b"\n")
            self._process.stdin.write(data)
            self._process.stdin.flush()
            line = self._process.stdout.readline()
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
            tuple(reply["told"]),
        )

    def _kill(self, late: threading.Event) -> None:
        late.set()
        self._process.kill()

    def stop(self) -> None:
        self._process.kill()
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
