"""Turns about another subject than the last question's: a correction, a pick from a list, another language."""

import re
from collections.abc import Sequence

from rag_agent.memory.followups.antecedents import Rewriting, State, same_words
from rag_agent.memory.followups.phrases import Phrase, listed_items, own_anchors, tokens
from rag_agent.memory.followups.transforms import other_language
from rag_agent.memory.followups.words import ORDINALS, Language


def language_swap(question: str, state: State, language: Language) -> Rewriting | None:
    """Ask the last question again for another language: "and in Dutch?" after "What is Moon in French?"."""
    query = other_language(question, state.question)
    return Rewriting(query, (state.question,), replaces=True) if query else None


_MEANT = re.compile(
    r"^\W*(?:(?:no|nope|sorry|actually|wait|nee|non|nein|pardon|oops|well)\b[\s,.!]*)*"
    r"(?:i\s+(?:meant?|am referring to|was referring to|am asking about|was asking about|am talking about|was talking about)|"
    r"i'm (?:referring to|asking about|talking about)|ik bedoel(?:de)?|quería decir|quise decir|je voulais dire|ich meinte|ich meine)"
    r"\s*:?\s+(?P<new>.+?)(?:\s*,?\s*(?:not|and not|niet|no|pas|nicht)\s+(?P<old>.+?))?[\s.!?]*$",
    re.I,
)
_NOT_BUT = re.compile(
    r"^\W*(?:(?:no|sorry|nee|nein|non)\b[\s,.!]*)?(?:not|niet|nicht|pas)\s+(?P<old>[^,;.]+?)\s*(?:[,;.]\s*(?:but\s+|maar\s+|sondern\s+)?|\s+but\s+)"
    r"(?P<new>[^,;]+?)[\s.!?]*$",
    re.I,
)
_NEW_NOT_OLD = re.compile(
    r"^\W*(?:(?:no|sorry|nee)\b[\s,.!]+)?(?P<new>[^,;]+?)\s*,\s*(?:and\s+)?(?:not|niet|nicht)\s+(?P<old>[^,;]+?)[\s.!?]*$",
    re.I,
)


def correction(question: str, state: State, language: Language) -> Rewriting | None:
    """Recognise "no, I meant Collins" and "not Armstrong, Aldrin": the last question again, with the right subject."""
    found = _MEANT.match(question) or _NOT_BUT.match(question) or _NEW_NOT_OLD.match(question)
    if found is None or len(tokens(found["new"])) > 8:
        return None
    new = found["new"].strip(" .,!?\"'")
    if found["old"] and not same_words(found["old"], f"{state.question} {state.answer}"):
        return None
    return with_subject(new, state, language, found["old"])


_ARTICLE_BEFORE = re.compile(r"\b(?:the|an?|de|het|el|la|le|der|die|das)\s$", re.I)
_ARTICLE_FIRST = re.compile(r"(?:the|an?|de|het|el|la|le|der|die|das)\s", re.I)


def with_subject(new: str, state: State, language: Language, old: str | None = None) -> Rewriting:
    """Put a new subject into the last question in place of the old one, of the phrase most like it, or beside it."""
    question = state.question
    if old:
        hit = re.search(re.escape(old.strip()), question, re.I)
        place = (hit.start(), hit.end()) if hit else None
    else:
        best = _most_alike(new, own_anchors(question, language), state)
        place = (best.start, best.end) if best else None
    if place is None:
        return Rewriting(f"{question} {new}", (question,), replaces=True)
    start, end = place
    article = _ARTICLE_BEFORE.search(question[:start])
    if article and (_ARTICLE_FIRST.match(new) or new[:1].isupper()):
        start = article.start()
    query = question[:start] + new + question[end:]
    kept = [phrase.text for phrase in own_anchors(query, language) if not same_words(phrase.text, new)]
    return Rewriting(query, tuple(kept) or (question,), replaces=True)


def _most_alike(new: str, candidates: Sequence[Phrase], state: State) -> Phrase | None:
    """The phrase a new subject replaces: one with a common word, else one of the same kind (name or not), else the focus."""
    named = any(c.isupper() for c in new)
    words = {token.low for token in tokens(new)}

    def likeness(phrase: Phrase) -> tuple[bool, bool, bool]:
        common = bool(words & {token.low for token in tokens(phrase.text)})
        focused = any(same_words(phrase.text, text) or same_words(text, phrase.text) for text in state.focus)
        return (common, phrase.named == named, focused)

    return max(candidates, key=likeness, default=None)


_PICK = re.compile(
    r"\b(?:the|de|het|el|la|le|der|die|das)\s+(?P<which>" + "|".join(sorted(ORDINALS, key=len, reverse=True)) + r")"
    r"(?:\s+(?:one|item|option|person|name|point|person|mentioned|thing|optie|punt|persoon))?(?=\s*(?:[?.!,]|$|\s(?:is|was|does|did|do|has|had|will|can|a|an|in|on|"
    r"about|mean|means|for|called|die|en|and|born|better|more|work|live|cost|also)\b))",
    re.I,
)


def pick(question: str, state: State, language: Language) -> Rewriting | None:
    """Resolve "the second one", "the latter" by the items of the last answer, or of the last question's comparison."""
    found = _PICK.search(question)
    if found is None:
        return None
    items = listed_items(state.answer) or (list(state.focus) if len(state.focus) > 1 else [])
    which = ORDINALS[found["which"].lower()]
    if not items or which >= len(items):
        return None
    query = question[: found.start()] + items[which] + question[found.end() :]
    return Rewriting(query, (items[which],), pointed=True)
