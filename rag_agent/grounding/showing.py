"""Which spans of the documents may be shown in answer to a question.

A document can say anything, and a model can be talked into repeating it. So what is shown has to come from the
question: a span that gives orders or asks is never shown, and any other has to bear on what was asked, all the more
where it speaks to its reader or an order stands near it. This does not depend on knowing the words of an attack.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from rag_agent.grounding.instructions import is_instruction, is_near_order, is_quotable
from rag_agent.grounding.relevance import Embedder, Passage, Words, match
from rag_agent.language import sentence_texts

__all__ = ["Span", "bearing", "showable"]

# Least bearing of a span: of any, of one that speaks to its reader, of one near an order. Cosine to the question plus
# half the share of its terms; of the sentences of XQuAD that hold an answer 91 % reach even the last. Steps of a recipe
# bear little on "How do I make it?" (0.2), sentences that come from elsewhere still less (0.02). Where cosines are not to
# be had, or not MiniLM's, the share of terms alone: any will do, but near an order there must be some.
BEARING = (0.15, 0.25, 0.4)
BEARING_WORDS = (0.0, 0.0, 0.1)
TERMS = 0.5
_TO_READER = re.compile(
    r"\b(?:you|your|yours|yourself|me|vous|votre|vos|dein\w*|usted|ustedes|vuestr[oa]s?|jouw|jullie|uw)\b"
    # what one asks of an assistant
    r"|^\W*(?:please )?(?:analy[sz]e|answer|calculate|classify|compare|compose|compute|convert|create|describe|design|determine"
    r"|discuss|draft|evaluate|explain|find|generate|give|identify|list|name|outline|plan|predict|prepare|propose|provide"
    r"|recommend|rewrite|say|search|show|solve|suggest|summari[sz]e|tell|translate|write)\b",
    re.IGNORECASE,
)


class Span(NamedTuple):
    """A span of a text: `text[start:end]`."""

    text: str
    start: int
    end: int


def showable(
    question: str, spans: Sequence[Span], *, words: Words, idf: Callable[[str], float], embeddings: Embedder | None
) -> list[bool]:
    """Say of each span whether it may be shown.

    Args:
        question: What was asked, as it was searched for.
        spans: Spans with the article that each stands in.
        words: Cuts text into terms; the one that the index uses.
        idf: How telling a term is.
        embeddings: The model that embedded the documents; None compares by words alone.
    """
    if not spans:
        return []
    texts = [span.text[span.start : span.end] for span in spans]
    # A question with an order in it bears on what stands beside that order in a document: nearness proves nothing there.
    ordered = any(map(is_instruction, sentence_texts(question)))
    bars = BEARING if embeddings is not None else BEARING_WORDS
    found = []
    for span, text, near in zip(spans, texts, bearing(question, texts, words=words, idf=idf, embeddings=embeddings), strict=True):
        bar = bars[2] if is_near_order(*span) else bars[1] if _TO_READER.search(text) else bars[0]
        beside = ordered and is_near_order(*span, beside=True)
        found.append(is_quotable(*span) and not beside and near >= bar)
    return found


def bearing(
    question: str, texts: Sequence[str], *, words: Words, idf: Callable[[str], float], embeddings: Embedder | None
) -> list[float]:
    """Measure how far each text bears on a question by itself, without the headline that it stands under.

    Returns:
        Cosine plus half the share of the question's terms, weighed by rarity; without embeddings the share alone.
    """
    passages = [Passage(str(number), text, 0, len(text)) for number, text in enumerate(texts)]
    found = match(question, passages, words=words, idf=idf, embeddings=embeddings)
    if found.by_words:
        return [float(share) for share in found.passage_share]
    return [float(near) for near in found.passage_similarity + TERMS * found.passage_share]
