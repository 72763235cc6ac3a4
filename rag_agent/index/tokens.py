"""Words to terms: what the lexical index counts and what a query looks up.

One `Analyser` serves documents and queries alike, so that both see the same terms. Text becomes case folded words without
Latin accents, stemmed by Snowball; things that people search for exactly (`A-113/b`, `foo_bar`, `v1.10.2`, `1,000`) stay
whole as terms of their own, beside their parts; scripts that put no spaces between words (Chinese, Japanese, Korean, Thai,
Lao, Khmer, Burmese) become overlapping pairs of characters, as Lucene's CJK analyser does.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import islice

import Stemmer  # type: ignore[import-not-found,import-untyped,unused-ignore]

from rag_agent.index.stopwords import STOP_WORDS, detect_language

__all__ = ["Analyser", "fold", "phrases"]

# Scripts without spaces. Hangul has them, but its particles cling to the word, so that pairs find more than words do.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3041-\u3096\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
)
# `re` does not count the vowel signs of Indic scripts and the points of Hebrew and Arabic as parts of a word.
_MARKS = "\u0300-\u036f\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0963\u0966-\u0dff\u0f71-\u0f84"
_WORD = f"(?:[^\\W_{_UNSPACED}]|[{_MARKS}])"
_TOKEN = re.compile(
    f"[{_UNSPACED}]+"
    # Words tied by a joint; a hyphen may stand at the end of a line, as in scanned newspapers and PDF columns.
    f"|_*{_WORD}+(?:(?:[-.:/@+_&\\\\]+|-[ \\t]*\\n[ \\t]*|(?<=\\d),(?=\\d)){_WORD}+)*(?:\\+\\+|#(?!\\w))?_*"
)
_UNSPACED_RUN = re.compile(f"[{_UNSPACED}]")
_JOINT = re.compile(r"[-.:/@+_&\\#,\s]+")
_OUTER_JOINT = re.compile(r"[.:/@\\]+")  # what joins whole identifiers
_DIGITS_OR_LETTERS = re.compile(r"\d+|[^\W\d_]+")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff\u0640]")
_HYPHENS = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2212", "-"))
_LATIN_MARKS = re.compile("(?<=[\u0000-\u03ff])[\u0300-\u036f]+|(?<=\u0435)\u0308|[\u0591-\u05bd\u064b-\u065f\u0670]+")
_QUOTED = re.compile('["\u201c\u201e\u00ab]([^"\u201c\u201d\u201e\u00ab\u00bb\n]{2,200})["\u201d\u201c\u00bb]')

# Stemmers of scripts that belong, nearly, to one language; Latin script takes the language of the corpus.
_SCRIPT_STEMMERS = (
    ("\u0370", "\u03ff", "greek"),
    ("\u0400", "\u04ff", "russian"),
    ("\u0530", "\u058f", "armenian"),
    ("\u0600", "\u06ff", "arabic"),
    ("\u0900", "\u097f", "hindi"),
    ("\u0b80", "\u0bff", "tamil"),
)
_BROKEN_LINE = re.compile(r"(?<=\w)-[ \t]*\n[ \t]*(?=\w)")
_SAMPLE_TEXTS = 2000
# Bounds on memory for corpora full of one-off strings, and for scripts whose sentences are one piece.
_CACHED_PIECES = 500_000
_CACHED_LENGTH = 40


def fold(text: str) -> str:
    """Make spellings alike that readers take for the same: case, width, ligatures, Latin accents, invisible characters.

    Marks that tell words apart outside Latin and Greek (the breve of Russian "й", Indic vowel signs) stay.
    """
    if text.isascii():
        return text.lower()
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text).translate(_HYPHENS)).casefold()
    return unicodedata.normalize("NFC", _LATIN_MARKS.sub("", unicodedata.normalize("NFD", text)))


def phrases(query: str) -> list[str]:
    """The passages of a query that stand between double quotation marks, without the marks."""
    return [quoted for match in _QUOTED.finditer(query) if (quoted := " ".join(match.group(1).split()))]


class Analyser:
    """Turns text into terms, for one language in Latin script and any number of other scripts."""

    def __init__(self, language: str = "english") -> None:
        """Prepare the stemmer and the stop words.

        Args:
            language: A Snowball name ("english", "dutch", ...), or "none" for no stemming and no stop words in Latin
                script.

        Raises:
            ValueError: Snowball has no such language; the message lists those it has.
        """
        known = Stemmer.algorithms()
        if language != "none" and language not in known:
            raise ValueError(f"no stemmer for {language!r}; use one of: none, {', '.join(known)}")
        self.language = language
        self._stemmer = None if language == "none" else Stemmer.Stemmer(language)
        self._others = tuple((first, last, Stemmer.Stemmer(name)) for first, last, name in _SCRIPT_STEMMERS)
        self.stop_words = STOP_WORDS.get(language, frozenset()) | STOP_WORDS["russian"]
        self._cache: dict[str, tuple[str, ...]] = {}

    @classmethod
    def detect(cls, texts: Iterable[str]) -> "Analyser":
        """Choose the language by the stop words of the first 2,000 texts."""
        bare = cls("none")
        return cls(detect_language(word for text in islice(texts, _SAMPLE_TEXTS) for word in bare.words(text)))

    def words(self, text: str) -> list[str]:
        """The folded words of a text, whole and unstemmed, in order."""
        return _TOKEN.findall(fold(text))

    def terms(self, text: str) -> list[str]:
        """The terms of a document: every one, stop words included, so that any phrase can be found.

        Returns:
            Terms in the order of the text; a word with joints gives several.
        """
        found: list[str] = []
        cache = self._cache
        # No token reaches over white space once broken words are joined, so that pieces between white space can be
        # looked up whole: faster than matching every word of a corpus anew.
        for piece in _BROKEN_LINE.sub("-", fold(text)).split():
            expanded = cache.get(piece)
            if expanded is None:
                expanded = tuple(term for word in _TOKEN.findall(piece) for term in self._expand(word))
                if len(piece) <= _CACHED_LENGTH:
                    if len(cache) >= _CACHED_PIECES:
                        cache.clear()
                    cache[piece] = expanded
            found.extend(expanded)
        return found

    def query_terms(self, query: str) -> list[str]:
        """The distinct terms that a query looks up: stop words, of the query's language too, are left out unless all are.

        Single characters of unspaced scripts are left out beside the pairs that hold them.
        """
        # "US" and "WHO" in a query that is not all capitals are names, though folded they are stop words.
        shouted = query.isupper()
        written = [(fold(word), word) for word in _TOKEN.findall(unicodedata.normalize("NFKC", query))]
        words = [word for word, _ in written]
        names = {folded for folded, word in written if len(word) > 1 and word.isupper() and not shouted}
        stop_words = self.stop_words | STOP_WORDS.get(detect_language(words, self.language), frozenset())
        kept = [word for word in words if word in names or word not in stop_words] or words
        found: dict[str, None] = {}
        for word in kept:
            terms = self._expand(word)
            if _UNSPACED_RUN.match(word) and len(word) > 1:
                terms = tuple(term for term in terms if len(term) > 1)
            bare = [term for term in terms if term in names or term not in stop_words] or terms
            found.update(dict.fromkeys(bare))
        return list(found)

    def stem(self, word: str) -> str:
        """The stem of one folded word, by the stemmer of its script."""
        first = word[0]
        if first.isdigit():
            return word
        for low, high, stemmer in self._others:
            if low <= first <= high:
                return str(stemmer.stemWord(word))
        return str(self._stemmer.stemWord(word)) if self._stemmer and first < "\u0250" else word

    def _expand(self, word: str) -> tuple[str, ...]:
        """The terms of one folded word: the word as it stands if it has inner structure, and its parts."""
        if _UNSPACED_RUN.match(word):
            return (*word, *(word[i : i + 2] for i in range(len(word) - 1)))
        parts = [part for part in _JOINT.split(word) if part]
        if len(parts) == 1 and parts[0] == word:
            return self._split_digits(word)
        if _THOUSANDS.fullmatch(word):
            return (word, word.replace(",", ""))
        if "." in word and len(parts) > 1 and all(len(part) == 1 and part.isalpha() for part in parts):
            return (word, "".join(parts))  # "U.S.A" finds "USA"
        found = [word] if _is_identifier(word) else []
        if "-" in word and all(part.isalpha() for part in parts):
            found.append(self.stem("".join(parts)))  # "e-mail" finds "email"; a word broken at a line's end is whole again
        names = [name for name in _OUTER_JOINT.split(word) if name != word and _JOINT.search(name)]
        found += [name for name in names if _is_identifier(name)]  # "upload.max_mb" finds "max_mb"
        for part in parts:
            found.extend(self._split_digits(part))
        return tuple(dict.fromkeys(found))

    def _split_digits(self, word: str) -> tuple[str, ...]:
        """Split "1990s" and "gpt4" with the number and the letters that they hold; single letters add nothing."""
        if word.isalpha() or word.isdigit():
            return (self.stem(word),)
        runs = [run for run in _DIGITS_OR_LETTERS.findall(word) if run.isdigit() or len(run) > 2]
        return tuple(dict.fromkeys((self.stem(word), *(self.stem(run) for run in runs if run != word))))


def _is_identifier(word: str) -> bool:
    """Whether a joined word is searched for as it stands: it holds a digit or a joint other than a hyphen."""
    return any(character.isdigit() or character in "_/@:\\.&+#" for character in word)


def sample(texts: Sequence[str]) -> Sequence[str]:
    """At most 2,000 texts spread evenly over a corpus, for detecting its language."""
    step = max(1, len(texts) // _SAMPLE_TEXTS)
    return texts[::step]
