"""What every driver does: index once, then answer the questions that come in, a line each, with time and memory."""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Job:
    """What a peer is started with."""

    docs: Path
    work: Path
    """A folder of its own for this set; what it keeps there is found again by the next run."""
    minilm: str
    """The folder of all-MiniLM-L6-v2, as sentence-transformers reads it."""
    ollama: str
    """The address of the server, with http://."""
    reader: str
    """The chat model's name on it."""
    embeddings: str
    """The address of the same MiniLM behind OpenAI's protocol, for peers that take no folder."""


def run(start: Callable[[Job], Callable[[str], Any]]) -> None:
    """Start a peer and let it answer until its input ends; replies go to the real standard output, prints to the error one."""
    values = json.loads(sys.argv[1])
    job = Job(**{**values, "docs": Path(values["docs"]), "work": Path(values["work"])})
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    began = time.perf_counter()
    answer = start(job)
    _tell(replies, {"seconds": time.perf_counter() - began})
    for line in sys.stdin:
        began = time.perf_counter()
        try:
            found = answer(json.loads(line))
            reply = found if isinstance(found, dict) else {"text": str(found)}
        except Exception as error:  # what a peer raises is told beside its other replies
            reply = {"text": "", "error": f"{type(error).__name__}: {error}"[:500]}
        _tell(replies, {**reply, "seconds": time.perf_counter() - began})


def _tell(replies: Any, values: dict[str, Any]) -> None:
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**values, "megabytes": memory}), file=replies, flush=True)
