"""What a user must know without having asked: one line on standard error, once a process."""

import logging
import threading

_told: set[str] = set()
_lock = threading.Lock()


def tell_once(line: str) -> None:
    """Say something to whoever runs this process; the same line is not said twice.

    It goes to the logger `rag_agent` as a warning: where a program has set up no logging, Python prints it to standard error.
    """
    with _lock:
        if line in _told:
            return
        _told.add(line)
    logging.getLogger("rag_agent").warning("%s", line)
