"""A text's words, in any script."""

import re
import unicodedata

# `re` does not count the vowel signs of Indic scripts and the points of Hebrew and Arabic as parts of a word.
_LETTER = r"(?:[^\W_]|[\u0300-\u036f\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0963\u0966-\u0dff])"
_UNSPACED = r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u3096\u30a1-\u30fa\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]"
_CLITIC = rf"'(?:s|re|ve|ll|d|m|t|n)(?!{_LETTER})"  # it's, we'll, 't: words of their own
WORD = (
    rf"{_UNSPACED}"
    rf"|(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu)'(?={_LETTER})"  # French and Italian elisions: l'école is two words
    rf"|(?:(?!{_UNSPACED}){_LETTER})+(?:(?:-|(?!{_CLITIC})'|(?<=n)(?='t)')(?:(?!{_UNSPACED}){_LETTER})+)*"
    rf"|{_CLITIC}"
)
"""One word of a text folded by `fold`: hyphens and apostrophes inside belong to it; Chinese, Japanese and Thai have no
spaces, so that each character is one."""
_WORD = re.compile(WORD)
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_QUOTES = str.maketrans(dict.fromkeys("’‘ʼ`´", "'") | dict.fromkeys("“”„«»‹›", '"') | dict.fromkeys("\u2010\u2011", "-"))


def plain(text: str) -> str:
    """Make spellings alike that mean the same to every reader: width, quotation marks, hyphens, invisible characters."""
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", text).translate(_QUOTES))


def fold(text: str) -> str:
    """The same, and case."""
    return plain(text).casefold().replace("\u0307", "")  # Turkish I with a dot is folded to two characters


def words(text: str) -> list[str]:
    """A text's words and numbers in order, folded (lower case, plain apostrophes), without punctuation."""
    return _WORD.findall(fold(text))
