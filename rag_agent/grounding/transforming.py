"""What a model made of an earlier answer: kept to what that answer says, and to the length asked for."""

import re

from rag_agent.grounding.judging import missing
from rag_agent.grounding.standing import standing
from rag_agent.language import sentence_texts

_BORDER = re.compile(r"[,;:](?=\s)|\s[–—-](?=\s)")


def resting_on(answer: str, reply: str, *, freely: bool = False) -> tuple[str, list[str]]:
    """The sentences of a reply that the answer supports, and what was left out; the answer itself where none is.

    Args:
        answer: The earlier answer.
        reply: The model's version of it, in the same language.
        freely: Leave out only what says something else (a name, number, date or negation), not what uses other words.
    """
    kept, left_out = [], []
    for sentence in sentence_texts(reply):
        reason = missing(sentence, answer) or ("" if freely else "the answer does not say it word for word")
        if standing(sentence, answer) or not reason:
            kept.append(sentence)
        else:
            left_out.append(f"not shown, {reason}: “{sentence}”")
    return " ".join(kept) or answer, left_out


def shortened(text: str, words: int) -> str:
    """At most so many words of a text: whole sentences, else the first one up to a clause border, else up to a word."""
    kept: list[str] = []
    for sentence in sentence_texts(text):
        if sum(len(one.split()) for one in (*kept, sentence)) > words:
            break
        kept.append(sentence)
    if kept:
        return " ".join(kept)
    start = " ".join(text.split()[:words])
    borders = [match.start() for match in _BORDER.finditer(start)]
    # Half of the words at the least: "Yes," is no shorter version of anything.
    usable = [border for border in borders if len(start[:border].split()) * 2 >= words]
    # The dots are no word of their own: the limit holds however words are counted.
    return (start[: usable[-1]] if usable else start).rstrip(".,;:") + "…"
