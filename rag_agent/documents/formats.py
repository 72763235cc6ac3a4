"""Files that are no plain text: bytes in, text, blocks and sections out. Some need the extra `formats`."""

import os
from importlib import import_module

from rag_agent.documents.reading import Reading, Unreadable
from rag_agent.documents.structures import TEXTS

FORMATS: dict[str, str] = {
    ".html": "hypertext:read",
    ".htm": "hypertext:read",
    ".xhtml": "hypertext:read",
    ".pdf": "pdf:read",
    ".pptx": "slides:read",
    ".png": "ocr:read",
    ".jpg": "ocr:read",
    ".jpeg": "ocr:read",
    ".tif": "ocr:read",
    ".tiff": "ocr:read",
    ".odt": "opendocument:read",
    ".ods": "opendocument:read",
    ".odp": "opendocument:read",
    ".epub": "books:read",
    ".rtf": "richtext:read",
    ".docx": "word:read",
    ".docm": "word:read",
    ".xlsx": "sheets:read",
    ".xlsm": "sheets:read",
    ".xls": "sheets:read_old",
    ".xlsb": "sheets:read_old",
    ".csv": "delimited:read",
    ".tsv": "delimited:read",
    ".json": "records:read_json",
    ".jsonl": "records:read_jsonl",
    ".ndjson": "records:read_jsonl",
    ".ipynb": "notebooks:read",
    ".eml": "mail:read",
    ".xml": "elements:read",
    ".vtt": "subtitles:read",
    ".srt": "subtitles:read",
}
"""What is extracted, by suffix: the module of this room and its function of the file's bytes."""

_NAMES = {
    **dict.fromkeys(("authors", "changelog", "changes", "contributors", "copying", "copyright", "faq", "history"), ".txt"),
    **dict.fromkeys(("install", "licence", "license", "news", "notice", "readme", "todo"), ".txt"),
    "makefile": ".mk",
    "dockerfile": ".sh",
}


def suffix_of(name: str) -> str:
    """The suffix of a file's name that tells how it is read, "" where it is not.

    Files without one that every package has are known by their names: README, LICENSE, Makefile.
    """
    stem, suffix = os.path.splitext(name.lower())
    if suffix in FORMATS or suffix in TEXTS:
        return suffix
    return _NAMES.get(stem, "") if not suffix else ""


def extract(suffix: str, data: bytes) -> Reading:
    """The text of a file's bytes: deterministic, so that offsets hold as long as file and library stay the same.

    Args:
        suffix: What tells the format: one of `FORMATS`.
        data: The file.

    Raises:
        Unreadable: It is damaged, protected, too large, holds no text, or needs a package that is not installed.
    """
    module, _, name = FORMATS[suffix].partition(":")
    try:
        reading: Reading = getattr(import_module(f"rag_agent.documents.{module}"), name)(data)
    except Unreadable:
        raise
    except ImportError as error:
        raise Unreadable(f"{suffix} needs {error.name}; install it: pip install 'rag-agent[formats]'") from error
    except RecursionError as error:
        raise Unreadable("nested too deeply") from error
    except MemoryError as error:
        raise Unreadable("reading it needs more memory than one file may take") from error
    except Exception as error:  # what parsers raise over damaged files has no bounds
        told = str(error).strip().partition("\n")[0][:120]
        raise Unreadable(f"not a {suffix} file that can be read ({type(error).__name__}{': ' + told if told else ''})") from error
    if not reading.sections:
        raise Unreadable("; ".join(("no text in it", *reading.told)))
    return reading
