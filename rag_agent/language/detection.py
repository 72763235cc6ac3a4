"""The language of a text, by py3langid: offline, 75 MB once loaded, under a millisecond a text."""

from functools import lru_cache
from pathlib import Path

import py3langid.langid
from py3langid.langid import LanguageIdentifier

# Of 1,560 questions in eleven languages 95 % reach it, and 99.9 % of these are told right; of 37 names and short things
# ("Neil Armstrong", "max_wal_size") one does.
_SURE = 0.6
_LONGEST = 2000  # characters looked at: more changes nothing


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


@lru_cache(1)
def _identifier() -> LanguageIdentifier:
    model = Path(py3langid.langid.__file__).parent / "data" / "model.npz.xz"
    return LanguageIdentifier.from_modelpath(model, norm_probs=True)
