"""From a draft to what is shown: each of its sentences with a standing, or the unit that it was taken from in its place."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, Protocol

from rag_agent.answers import Citation
from rag_agent.grounding.draft import Draft, DraftSentence
from rag_agent.grounding.instructions import is_quotable
from rag_agent.grounding.quotable import Quotable
from rag_agent.grounding.standing import standing
from rag_agent.language import detect, language
from rag_agent.language.voice import Voice

__all__ = ["Stands", "Told", "Weigher", "told"]

Standing = Literal["quote", "restated", "judged"]

_SHORT = 8
"""Words up to which a piece of a unit may answer before the unit itself: a name, a number, a command. A longer piece may be a
clause that says another thing without the rest of its sentence."""
_SHARE = 0.5
"""Share of what a sentence says beyond the question, in words of the passages by rarity, that a unit must hold to be shown
in its place; it bears on the question, too, and holds all its numbers."""
_WHOLE = ("answer", "list", "item")
_YES_NO = frozenset("yes no ja nee nein oui non si sí".split())
"""Replies that stand nowhere as they are and yet point to a passage that answers."""
_TOKEN = re.compile(r"\w+(?:[.,:/-]\w+)*")


class Stands(Protocol):
    """Finds the unit that a sentence stands on; `rag_agent.grounding.judging.standing_of` with a judge is one."""

    def __call__(self, sentence: str, units: Sequence[str], /) -> tuple[Standing | None, int]:
        """The standing, or None, and the index of the unit."""


class Weigher(Protocol):
    """What tells how far texts speak of the same; a library is one."""

    def words(self) -> "Words":
        """What cuts text into terms."""

    def idf(self, term: str) -> float:
        """How telling a term is."""


class Words(Protocol):
    """Cuts text into comparable terms."""

    def terms(self, text: str) -> list[str]:
        """The stemmed terms of a text."""

    def query_terms(self, query: str) -> list[str]:
        """The distinct stemmed terms of a question, without function words."""


@dataclass(frozen=True)
class Told:
    """A sentence to show, or a piece of one, and the unit that it stands on.

    Attributes:
        text: What is shown.
        standing: How it stands.
        citation: Of the unit.
        said: Whether the reader said it; else the document says it beside the reader's words, or in their place.
    """

    text: str
    standing: Standing
    citation: Citation
    said: bool = False


class _Span(NamedTuple):
    text: str
    unit: int


def told(
    draft: Draft,
    units: Sequence[Quotable],
    question: str,
    weigher: Weigher,
    stands: Stands | None = None,
    say: Callable[..., str] | None = None,
) -> tuple[list[Told], list[str]]:
    """Say what of a draft is shown, and what is not and why.

    A sentence that stands on a unit is shown as it is. One that is a short piece of a unit is shown, then the unit. Of any other
    the unit that it was taken from is shown, if one holds what the sentence says; a sentence that nothing holds is left out.

    Args:
        draft: The reader's reply.
        units: What it may stand on, the likeliest passage first.
        question: Said in full.
        weigher: The library that the units come from.
        stands: Finds what a sentence stands on; None asks no judge.
        say: Says why something is not shown, by a name of `prompts` and its fields; None says it in the question's language.
    """
    say = say or (lambda name, **values: Voice().say(name, question, **values))
    answering = _Answering(units, question, weigher, stands or word_for_word, say)
    shown: list[Told] = []
    left_out: list[str] = []
    for sentence in draft.sentences:
        if not is_quotable(sentence.text):  # nor repeated in what was left out: it may come from a document
            left_out.append(say("NOT_SHOWN"))
            continue
        found, why = answering.shown(sentence)
        shown += found
        left_out += [why] if why else []
    return _joined(shown), left_out


def word_for_word(sentence: str, units: Sequence[str], /) -> tuple[Standing | None, int]:
    """The unit that a sentence stands on with no judge: a verbatim one first."""
    found = [standing(sentence, unit) for unit in units]
    best = next((way for way in ("quote", "restated") if way in found), None)
    return (best, found.index(best)) if best else (None, -1)


class _Answering:
    def __init__(
        self, units: Sequence[Quotable], question: str, weigher: Weigher, stands: Stands, say: Callable[..., str]
    ) -> None:
        self._say = say
        self._units = units
        self._question = question
        self._weigher = weigher
        self._stands = stands
        words = weigher.words()
        self._terms = [frozenset(words.terms(one.unit.text)) for one in units]
        asked = words.query_terms(question)
        self._bearing = [
            self._share(asked, own | frozenset(words.terms(one.unit.under))) for own, one in zip(self._terms, units, strict=True)
        ]

    def shown(self, sentence: DraftSentence) -> tuple[list[Told], str]:
        """What to show of a sentence, and what to say of it where it is not shown itself."""
        order = self._order(sentence)
        way, at = self._stands(sentence.text, [self._units[n].unit.text for n in order])
        span = None if way else self._span(sentence.text, order)
        number = order[at] if way else span.unit if span else None
        if number is not None and not self._bearing[number]:
            # A document may be written to be repeated: what shares no word with the question answers nothing.
            return [], self._say("NOT_SHOWN")
        if way:
            return self._with_evidence(sentence.text, way, order[at]), ""
        if span:
            return self._with_evidence(span.text, "quote", span.unit), ""
        source = self._source(sentence, order)
        if source is None:
            return [], self._say("SENTENCE_LEFT_OUT", sentence=sentence.text)
        told = [Told(self._units[source].unit.text, "quote", self._units[source].citation)]
        return told, self._say("SENTENCE_REPLACED", sentence=sentence.text)

    def _with_evidence(self, text: str, way: Standing, number: int) -> list[Told]:
        """A sentence, and behind one of few words the unit that holds it, or that its unit is a part of."""
        said, own = _tokens(text), self._units[number]
        if way == "quote" and said == _tokens(own.unit.text):
            text = own.unit.text
        told = Told(text, way, own.citation, said=True)
        if len(said) > _SHORT or way == "judged":
            return [told]
        if len(said) < len(_tokens(own.unit.text)):
            return [told, Told(own.unit.text, "quote", own.citation)]
        around = [one for one in self._units if one.unit.kind in _WHOLE and _holds(one.citation, own.citation)]
        if around:
            whole = min(around, key=lambda one: len(one.unit.text))
            return [replace(told, citation=whole.citation), Told(whole.unit.text, "quote", whole.citation)]
        # "No.": the sentence behind it says what it means.
        behind = [one for one in self._units if one.passage == own.passage and one.citation.start >= own.citation.end]
        more = [one for one in behind[:1] if one.unit.text == own.unit.after]
        return [told, *(Told(one.unit.text, "quote", one.citation) for one in more)]

    def _order(self, sentence: DraftSentence) -> list[int]:
        """The units, those of the passages that a sentence names first; of these, the ones that bear on the question."""
        named = [self._units[n].passage in sentence.units for n in range(len(self._units))]
        return sorted(range(len(self._units)), key=lambda n: (not named[n], -self._bearing[n], len(self._units[n].unit.text)))

    def _span(self, text: str, order: Sequence[int]) -> _Span | None:
        """The piece of a unit that a text is, as the unit writes it."""
        wanted = _tokens(text)
        if not 0 < len(wanted) <= _SHORT:
            return None
        for number in order:
            unit = self._units[number].unit
            there = list(_TOKEN.finditer(unit.text))
            keys = [match.group().casefold() for match in there]
            for at in range(len(keys) - len(wanted) + 1):
                if keys[at : at + len(wanted)] != wanted:
                    continue
                end = there[at + len(wanted) - 1].end()
                opens = at == 0 and re.match(r"[.!?,:;]", unit.text[end:])  # "No, it is not."
                if opens or _tells(wanted, unit.text):
                    return _Span(unit.text[there[at].start() : end], number)
        return None

    def _source(self, sentence: DraftSentence, order: Sequence[int]) -> int | None:
        """The unit that a sentence was taken from: the one that holds what it says beyond the question."""
        words = self._weigher.words()
        asked = frozenset(words.terms(self._question))
        tokens = _tokens(sentence.text)
        if set(tokens) <= _YES_NO:
            return next((n for n in order if self._units[n].passage in sentence.units and self._bearing[n] > 0), None)
        # A word that no unit holds tells nothing of where the others come from.
        known = frozenset().union(*self._terms)
        said = [term for term in words.query_terms(sentence.text) if term in known and term not in asked]
        numbers = {token for token in tokens if any(map(str.isdigit, token))} - set(_tokens(self._question))
        able = [n for n in order if self._bearing[n] > 0 and numbers <= set(_tokens(self._units[n].unit.text))]
        share = {n: self._share(said, self._terms[n]) for n in able}
        best = max(able, key=lambda n: share[n] + self._bearing[n], default=None)
        return best if best is not None and share[best] >= _SHARE else None

    def _share(self, wanted: Sequence[str], held: frozenset[str]) -> float:
        weights = {term: self._weigher.idf(term) for term in wanted}
        total = sum(weights.values())
        return sum(weight for term, weight in weights.items() if term in held) / total if total else 0.0


def _tokens(text: str) -> list[str]:
    return [match.group().casefold() for match in _TOKEN.finditer(text)]


def _holds(one: Citation, other: Citation) -> bool:
    return one != other and one.file == other.file and one.start <= other.start and other.end <= one.end


def _tells(tokens: Sequence[str], unit: str) -> bool:
    """Whether some words say something by themselves: "no" in the middle of a sentence does not."""
    known = language(detect(unit))
    if known is None:
        return any(len(token) > 3 or any(char.isdigit() for char in token) for token in tokens)
    return any(token not in known.small_words for token in tokens)


def _joined(shown: Sequence[Told]) -> list[Told]:
    """Each unit once, behind all the pieces of it; pieces of one unit as one, with commas."""
    result: list[Told] = []
    for citation in dict.fromkeys(one.citation for one in shown):
        texts: dict[str, Told] = {}
        for one in shown:
            if one.citation == citation:
                texts[one.text] = texts.get(one.text, one) if not one.said else one
        own = list(texts.values())
        whole = max(own, key=lambda one: len(one.text))
        pieces = [one for one in own if one.standing == "quote" and one != whole]
        if len(pieces) > 1:
            pieces = [replace(pieces[0], text=", ".join(piece.text.rstrip(".") for piece in pieces))]
        result += [*pieces, *(one for one in own if one.standing != "quote" or one == whole)]
    return result
