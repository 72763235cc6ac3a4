"""The built-in judge: which sentences of the passages support a claim, how well, and if not, why not.

It needs no model. A claim is supported when one sentence of a passage, or two neighbouring ones, says its words, names
and numbers, nothing in it is turned round and no word that says something is its own. It errs on the side of "not
supported": a refused paraphrase costs a quote instead of a sentence, an accepted mistake costs the reader's trust.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from rag_agent.grounding.comparison import Comparison, compare
from rag_agent.grounding.matching import Source, source
from rag_agent.grounding.reading import ASIDE, Reader, Reading, detect_language, is_unspaced, normalise
from rag_agent.grounding.substitutions import substitutions
from rag_agent.language import sentences

THRESHOLD = 0.8
_UNQUOTED = 0.99  # highest score of a sentence that is not a verbatim one
_LIKELY = 12  # spans compared in full
_CANDIDATES = 4  # of which so many are searched for substitutions
_FOREIGN = 0.79  # highest score with a word that is in neither source nor question, or of a mere remark
_OBJECTED = 0.4  # highest score with an objection against it
_JUDGED = 2  # spans that a judge is asked about
ENTAILED = 0.5  # probability from which a judge's word counts

Judge = Callable[[str, str], float]
"""The probability, 0 to 1, that a quote says what a sentence says."""

_OPENING = re.compile(
    r"^\s*(?:(?:yes|yeah|yep|no|sure|certainly|of course|well|ok|okay|oh|wow|actually|in fact|absolutely"
    r"|indeed|right|correct|true|"
    r"great question|no problem|you are welcome|you're welcome|"
    r"that(?:'s| is| was) (?:so |very |really )?(?:true|right|correct|awesome|cool|great|interesting"
    r"|nice|good))\s*[,.!;:]+\s*)+",
    re.IGNORECASE,
)
_FRAME = re.compile(
    r"(?:\b(?:i am|i'm) not (?:really |entirely |too )?sure(?: about that| about it)?\s*[,.]?\s*(?:but|however)\s*,?\s*"
    r"|\b(?:but )?i (?:do |also |just )?(?:know|think|believe|guess|heard|read)(?: about)?(?: (?:that"
    r"|it is|it's) )?\b(?! (?:of|so)\b)"
    r"|\baccording to the (?:passages?|texts?|documents?|context|sources?|articles?)(?: provided| above)?\s*,?"
    r"|\bbased on the (?:passages?|texts?|documents?|context|sources?|articles?|information)(?: provided"
    r"| above| given)?\s*,?"
    r"|\bthe (?:passage|text|document|context|article) (?:says|states|mentions|explains|tells us)(?: that)?)\s*",
    re.IGNORECASE,
)


# A sentence that goes on about the subject of the one before it: it opens with a pronoun, or with "the" and a common noun.
_LEANS_BACK = re.compile(
    r"[\W_]*(?:(?:and|but|then|later|also|there|here|both|in (?:18|19|20)\d\d,?)\s+)*"
    r"(?:he|she|it|they|his|her|hers|its|their|theirs|this|that|these|those|such|one|both|who|which|"
    r"the\s+(?=(?-i:[a-z]))|hij|zij|ze|het|zijn|haar|hun|dit|dat|deze|él|ella|ellos|ellas|su|sus|esto|este|esta|il|elle|ils|elles|"
    r"son|sa|ses|leur|leurs|ce|cette|ces|er|sie|es|sein|seine|ihr|ihre|dies|diese|dieser)\b",
    re.IGNORECASE,
)


class Support(NamedTuple):
    """The verdict on one claim.

    Attributes:
        score: How well the best span supports the claim, in [0, 1]; 1 for a verbatim sentence.
        supported: The score reaches the threshold.
        passage: Index of the passage that holds the best span; -1 where no passage has words.
        start: Where the span begins in that passage, in characters.
        end: Where it ends, so that `passages[passage][start:end]` is the span.
        reason: Why the claim is not supported, in words; for a supported one, how it is.
        objected: Something speaks against it: another name, number or date, a negation, an opposite, a reservation.
    """

    score: float
    supported: bool
    passage: int
    start: int
    end: int
    reason: str
    objected: bool = False


class _Span(NamedTuple):
    passage: int
    start: int
    end: int
    source: Source
    parts: tuple[Source, ...]  # the single sentences of two neighbours


class SupportCheck:
    """The passages of one answer, read once, so that each sentence of the answer is checked in a few milliseconds."""

    def __init__(
        self, passages: Sequence[str], *, question: str = "", threshold: float = THRESHOLD, judge: Judge | None = None
    ) -> None:
        """Read the passages.

        Args:
            passages: Texts that the answer may stand on.
            question: What was asked; words of a claim that only repeat it weigh less when they are missing.
            threshold: Score from which a claim is supported, in [0, 1].
            judge: Decides in place of the share of words; names, numbers, dates and negation must match all the same.
        """
        self._threshold = threshold
        self._judge = judge
        self._passages = passages
        self._reader = Reader(detect_language(" ".join(passages)[:5000]))
        self._topic = frozenset(word.key for word in self._reader.read(question).words)
        self._spans = [span for number, text in enumerate(passages) for span in self._read(number, text)]

    def check(self, claim: str) -> Support:
        """Judge one claim.

        Args:
            claim: One sentence (two at most: no more are looked at together in a passage).

        Returns:
            The best span and the verdict on it.
        """
        reading = self._reader.read(without_frame(claim))
        if not reading.words and not reading.facts:
            return Support(0.0, False, -1, 0, 0, "the claim says nothing that can be checked")
        if not self._spans:
            return Support(0.0, False, -1, 0, 0, "there is no passage to check against")
        plain = plain_tokens(self._reader.read(claim))
        for span in self._spans:
            if plain_tokens(span.source.reading) == plain:
                return Support(1.0, True, span.passage, span.start, span.end, "verbatim")
        found = [(compare(reading, span.source, self._topic), span) for span in self._likely(reading)]
        found.sort(key=lambda pair: -score(pair[0]))  # stable: the shorter span comes first at a tie
        # Substitutions are dear to find, so only the spans that lead are searched for them.
        checked = [(_with_substitutions(reading, span, result), span) for result, span in found[:_CANDIDATES]]
        checked.sort(key=lambda pair: -score(pair[0]))
        best, span = checked[0]
        remark = self._is_remark(reading)
        open_spans = [span for result, span in checked if not result.objections]
        if self._judge is not None and open_spans and not remark:
            return self._judged(self._judge, claim, open_spans[:_JUDGED])
        value, reason = score(best), ""
        if remark:
            value, reason = min(value, _FOREIGN), "the claim says too little to be checked"
        supported = value >= self._threshold
        reason = reason or _reason(supported, best)
        return Support(round(value, 4), supported, span.passage, span.start, span.end, reason, bool(best.objections))

    def _judged(self, judge: Judge, claim: str, spans: Sequence[_Span]) -> Support:
        """Take the first span that the judge takes; the likelier one by its words is asked about first."""
        values: list[float] = []
        for span in spans:
            values.append(judge(" ".join(self._passages[span.passage][span.start : span.end].split()), claim))
            if values[-1] >= ENTAILED:
                break
        best = max(range(len(values)), key=values.__getitem__)
        supported, span = values[best] >= ENTAILED, spans[best]
        reason = "the judge finds it in the source" if supported else "the judge does not find it in the source"
        return Support(round(values[best], 4), supported, span.passage, span.start, span.end, reason)

    def _is_remark(self, claim: Reading) -> bool:
        """Tell a remark about the speaker ("Done.", "I did so.") from an answer in one word, which is a name or number."""
        told = [word for word in claim.words if word.weight > ASIDE or is_unspaced(word.low[0])]
        if claim.facts or len(told) > 1:
            return False
        if not told:
            return True
        alone = sum(token[0].isalnum() for token in claim.tokens) == 1 and told[0].low != told[0].low.upper()
        return alone and not any(word.name for span in self._spans for word in span.source.keys.get(told[0].key, ()))

    def _likely(self, claim: Reading) -> list[_Span]:
        """Choose the spans that share most words and numbers with the claim: the others cannot win."""
        wanted = {word.key: word.weight for word in claim.words}
        tokens = {token for token in claim.tokens if token[0].isdigit()}

        def shared(span: _Span) -> float:
            common = wanted.keys() & span.source.keys.keys()
            return -sum(wanted[key] for key in common) - 2 * len(tokens & span.source.lows)

        return sorted(self._spans, key=shared)[:_LIKELY]

    def _read(self, number: int, text: str) -> list[_Span]:
        """Make spans of single sentences first, then of neighbours: at a tie the shorter quote wins."""
        around = normalise(text).lower()
        pieces = sentences(text)
        readings = [self._reader.read(text[start:end]) for start, end in pieces]
        sources = [source(reading, around) for reading in readings]
        single = [_Span(number, *piece, own, ()) for piece, own in zip(pieces, sources, strict=True)]
        double = [
            _Span(
                number,
                left.start,
                right.end,
                source(self._reader.read(text[left.start : right.end]), around),
                (left.source, right.source),
            )
            for left, right in zip(single, single[1:], strict=False)
            # Two sentences of two subjects would let the one's name go with the other's deed.
            if _LEANS_BACK.match(text[right.start : right.end])
        ]
        return single + double


def check(claim: str, passages: Sequence[str], *, question: str = "", threshold: float = THRESHOLD) -> Support:
    """Judge one claim against passages; for several claims keep a `SupportCheck`.

    Args:
        claim: One sentence.
        passages: Texts that it may stand on.
        question: What was asked.
        threshold: Score from which the claim is supported, in [0, 1].

    Returns:
        The best span and the verdict on it.
    """
    return SupportCheck(passages, question=question, threshold=threshold).check(claim)


def score(found: Comparison) -> float:
    """Turn a comparison into a score.

    Args:
        found: A claim compared with a span.

    Returns:
        Coverage, less for words in another order or far apart; at most 0.79 with a foreign word, 0.4 with an objection.
    """
    value = found.coverage * (0.5 + 0.3 * found.order + 0.2 * found.closeness)
    if found.objections:
        return _OBJECTED * value
    return min(value, _FOREIGN if found.foreign else _UNQUOTED)


def without_frame(claim: str) -> str:
    """Take off what a reply says about itself: "Sure!", "I think that", "According to the passage,"."""
    text = _FRAME.sub(" ", _OPENING.sub("", re.sub(r" ?' ?(?=(?:s|m|re|t)\b)", "'", claim)))
    return text if any(char.isalnum() for char in text) else claim


def plain_tokens(reading: Reading) -> tuple[str, ...]:
    """Give the tokens without punctuation; equal for verbatim sentences."""
    return tuple(token for token in reading.tokens if token[0].isalnum())


def _with_substitutions(claim: Reading, span: _Span, found: Comparison) -> Comparison:
    # A neighbour must not lend the name that one of the sentences has in another place.
    more = [objection for part in (span.source, *span.parts) for objection in substitutions(claim, part)]
    return replace(found, objections=tuple(dict.fromkeys([*found.objections, *more])))


def _reason(supported: bool, found: Comparison) -> str:
    if supported:
        return "its words, names and numbers are in the source"
    if found.objections:
        return "; ".join(found.objections)
    if found.foreign:
        return f"not in the source: {', '.join(found.foreign[:5])}"
    return "too little of it is in the source"
