"""What a question is about by name: identifiers, names and numbers must stand in the evidence, or there is no answer in it."""

import re
from collections.abc import Iterator

from rag_agent.language import detect, language

__all__ = ["identities", "is_code", "is_pasted"]

_TOKEN = re.compile(r"[^\W_]*_*\w+(?:[-.:/@+&\\,']+\w+)*")
_INNER_CAPITAL = re.compile(r"[a-z][A-Z]|[A-Z]{2,}[a-z]{2,}")
# "FATAL: no entry for host ...", "AxiosError: timeout of 1000ms exceeded": its values are those of one machine.
_PASTED = re.compile(r"^\W*(?:\w+\.)*\w*(?:error|exception|fatal|warning|panic|failed|failure)\w*\W*:", re.IGNORECASE)
_NOUNS_IN_CAPITALS = ("de", "lb")  # languages in which a capital tells no name


def is_pasted(question: str) -> bool:
    """Whether a question is a message of some program, pasted."""
    return bool(_PASTED.match(question))


def is_code(word: str) -> bool:
    """Whether a word is a number or an identifier, and no name."""
    return word[0].isdigit() or _is_identifier(word)


def identities(question: str) -> list[tuple[str, ...]]:
    """The names, identifiers and numbers of a question as written; words in capitals that follow each other are one.

    `What is the default of max_wal_size?` gives `[("max_wal_size",)]`, `Who was Neil Armstrong?` `[("Neil",), ("Armstrong",)]`,
    `the MERGE JOIN option` `[("MERGE", "JOIN")]`. A pasted message has none.
    """
    if is_pasted(question):
        return []
    found: list[tuple[str, ...]] = []
    run: list[str] = []
    shouted = question.isupper()
    end = 0
    for token, at, opens in _tokens(question):
        capitals = len(token) > 1 and token.isupper() and token.isalpha() and not shouted
        if run and (not capitals or question[end:at].strip()):
            found.append(tuple(run))
            run = []
        if capitals:
            run.append(token)
        elif _is_identifier(token) or token[0].isdigit() or (not shouted and not opens and _is_name(token, question)):
            found.append((token,))
        end = at + len(token)
    return [*found, tuple(run)] if run else found


def _tokens(question: str) -> Iterator[tuple[str, int, bool]]:
    """Each token, where it stands, and whether it opens a sentence."""
    end = 0
    for match in _TOKEN.finditer(question):
        between = question[end : match.start()]
        token = re.sub(r"['’]s?$", "", match.group())
        if token:
            yield token, match.start(), end == 0 or bool(re.search(r"[.?!:]\W*$", between))
        end = match.end()


def _is_identifier(token: str) -> bool:
    joined = re.search(r"[_/@\\:+&]|\.(?=\w)", token) is not None and re.search(r"[^\W\d_]", token) is not None
    mixed = re.search(r"\d", token) is not None and re.search(r"[^\W\d_]", token) is not None
    return joined or mixed or _INNER_CAPITAL.search(token) is not None


def _is_name(token: str, question: str) -> bool:
    """Whether a word is a name; a day of the week is written in many ways ("Mon-Fri"), and names nothing."""
    if not token[0].isupper() or len(token) < 2:
        return False
    code = detect(question)
    known = language(code or "en")
    days = known.weekdays if known is not None else {}
    return code not in _NOUNS_IN_CAPITALS and token.casefold().removesuffix("s") not in days
