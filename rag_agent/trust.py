"""Which files of settings are trusted: by their place and the hash of their content, kept in the home, as direnv does."""

import hashlib
import os
from pathlib import Path

from rag_agent.errors import SettingsError
from rag_agent.private import private_file, private_folder

_FILE = "trusted"


def trusted(home: Path, path: Path, content: bytes) -> bool:
    """Whether a file was trusted as it is now."""
    try:
        return _mark(path, content) in (home / _FILE).read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        return False


def trust(home: Path, path: Path, content: bytes) -> None:
    """Trust a file as it is now; another content, or the same in another place, is not trusted by that.

    Raises:
        SettingsError: The home cannot be written.
    """
    if trusted(home, path, content):
        return
    try:
        private_folder(home)
        with os.fdopen(private_file(home / _FILE, os.O_APPEND | os.O_WRONLY), "w", encoding="ascii") as file:
            file.write(f"{_mark(path, content)}\n")
    except OSError as error:
        raise SettingsError(
            f"{home / _FILE} cannot be written ({error.strerror}); set RAG_AGENT_HOME to a folder that can"
        ) from error


def _mark(path: Path, content: bytes) -> str:
    return hashlib.sha256(os.fsencode(os.path.realpath(path)) + b"\0" + content).hexdigest()
