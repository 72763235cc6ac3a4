"""Complete nouns that say nothing alone: "the symptoms" of what, "the expedition" that was named in full before."""

import re
from collections.abc import Sequence

from rag_agent.memory.followups.antecedents import Rewriting, State, antecedents, joined, same_words
from rag_agent.memory.followups.phrases import Phrase, is_relational, phrases, singular, tokens
from rag_agent.memory.followups.words import ARTICLES, OPEN_AFTER, PARTITIVE, PLACE_NOUNS, PREPOSITIONS, SUPERLATIVE, Language

QUESTION_WORDS = frozenset(
    "who what which when where why how wie wat welke wanneer waar hoe quién qué cuándo dónde cómo qui quoi quand où comment wer was wann wo".split()
)


def append(question: str, state: State) -> Rewriting:
    """Put the focus at the end, in brackets, where no better place is known."""
    focus = state.focus[:1]
    return Rewriting(f"{question.rstrip()} ({', '.join(focus)})", focus)


def repeated_head(question: str, state: State, language: Language) -> Rewriting | None:
    """Complete "the expedition" where the conversation has named "the Lewis and Clark expedition"."""
    found = phrases(question, language)
    for i, phrase in enumerate(found):
        of_relation = i > 0 and found[i - 1].relational and phrase.preposition == "of"
        if of_relation and state.focus and not phrase.named and _is_head_of(phrase, state.focus[0]):
            return Rewriting(question[: phrase.start] + state.focus[0] + question[phrase.end :], state.focus[:1], pointed=True)
        elsewhere = {singular(token.low) for token in tokens(question) if not phrase.start <= token.start < phrase.end}
        if not phrase.definite or phrase.named or phrase.head in elsewhere:
            continue
        if phrase.text.lower() in PLACE_NOUNS and phrase.preposition and not any(one.named for one in found):
            places = antecedents("place", "there", state, language)
            if places:
                start = question.rindex("th", 0, phrase.start)
                return Rewriting(question[:start] + places[0] + question[phrase.end :], places, pointed=True)
        for earlier in reversed(state.anchors):
            longer = len(earlier.text.split()) > len(phrase.text.split())
            if longer and earlier.head == phrase.head and same_words(phrase.text, earlier.text):
                query = question[: phrase.start] + earlier.text + question[phrase.end :]
                return Rewriting(query, (earlier.text,), pointed=True)
    return None


def the(text: str, state: State) -> str:
    """Give a text back its article, where the conversation used one."""
    used = any(phrase.text == text and phrase.article for phrase in state.anchors)
    return f"the {text}" if used else text


def _is_head_of(phrase: Phrase, longer: str) -> bool:
    """Say whether a phrase is the last word of a longer one, in either number: "plans", "529 plan"."""
    last = longer.lower().split()[-1]
    return len(longer.split()) > 1 and singular(last) == singular(phrase.text.lower())


def open_relation(question: str, state: State, language: Language) -> Rewriting | None:
    """Complete a noun of relation without its "of what": "the symptoms", "which types", "are there any benefits"."""
    if language.code != "en" or not state.focus or any(same_words(text, question) for text in state.focus):
        return None
    found = phrases(question, language)
    anchors = [phrase for phrase in found if not phrase.relational]
    for i, phrase in enumerate(found):
        how = _openness(question, found, i)
        if how == "superlative" or how == "second place":
            return insert(question, found, i, state)
        if how and not anchors:
            return insert(question, found, i, state)
        partitive = phrase.head in PARTITIVE and _WHICH_ONE.match(question[phrase.end :]) and phrase.text.lower() == phrase.head
        if how and partitive and not any(anchor.named for anchor in anchors):
            return insert(question, found, i, state)
    if not anchors and len(tokens(question)) <= _BRIEF and not any(how for how in _SELF if how in question.lower()):
        return append(question, state)
    if any(token.low == "nearby" for token in tokens(question)) and not any(anchor.named for anchor in anchors):
        places = antecedents("place", "there", state, language)
        return Rewriting(f"{question.rstrip(' ?.!')} near {places[0]}?", places)
    if _EXISTS.match(question) and len(found) == 1 and not found[0].named:
        return insert(question, found, 0, state)
    if tokens(question)[-1].low in _COMPARED and len(anchors) == 1 and " and " not in question:
        return Rewriting(f"{question.rstrip(' ?.!')} to {state.focus[0]}?", state.focus[:1])
    return None


_WHICH_ONE = re.compile(r"\s+(?:is|are|was|were|should|can|would|do|does|did)\b", re.I)
_BRIEF = 8  # words; a longer turn without any name or noun is an idiom, a quotation or a title
_SELF = (" i ", " we ")
_EXISTS = re.compile(r"\W*(?:and\s+)?(?:is|are|was|were)\s+there\s+(?:any|an?|other|some|more)\b", re.I)
_COMPARED = frozenset({"compare", "differ", "different", "similar", "related"})


def _openness(question: str, found: Sequence[Phrase], i: int) -> str:
    """Say how phrase i still needs an "of what".

    Returns:
        "relation" for a noun of relation alone, "superlative" for "the largest" without a noun, "second place" for "the role of X",
        which has one of its two, "" for a phrase that is complete.
    """
    phrase = found[i]
    if not phrase.relational:
        return ""
    lows = {token.low for token in tokens(phrase.text)}
    after = found[i + 1] if i + 1 < len(found) else None
    reach = joined(question, phrase, after) if after else False
    between = {token.low for token in tokens(question[phrase.end : after.start])} if after and reach else set()
    if not any(is_relational(low) for low in lows):
        next_word = next((token.low for token in tokens(question[phrase.end :])), "")
        first = not any(not one.relational for one in found[:i]) and not next_word.endswith("ed")
        return "superlative" if first and phrase.definite and SUPERLATIVE & lows and "of" not in between else ""
    if not phrase.empty:
        return ""
    if after and after.relational and _COORDINATED.fullmatch(question[phrase.end : after.start]):
        return _openness(question, found, i + 1)
    if after and reach and not after.relational:
        third = re.match(r"\s+(?:in|for|to)\b", question[after.end :])
        lacks = bool(between & OPEN_AFTER.get(phrase.head, frozenset())) and phrase.definite and not third
        return "second place" if lacks else ""
    if after and reach and (not after.empty or "of" in between):
        return ""
    next_word = next((token.low for token in tokens(question[phrase.end :])), "")
    if next_word in PREPOSITIONS and any(not one.relational for one in found[i + 1 :]):
        return ""
    if re.match(r"\s+(?:(?:to|in|on|for|by|with)\s+)?(?:that|which|who|whom|whose|where)\b", question[phrase.end :]):
        return ""
    possessed = re.search(r"(\w+)['’]s?\s+(?:\w+\s+)*$", question[: phrase.start])
    return "" if possessed and possessed.group(1).lower() not in QUESTION_WORDS else "relation"


_COORDINATED = re.compile(r"\s+(?:and|or)\s+(?:(?:the|an?)\s+)?", re.I)


def insert(question: str, found: Sequence[Phrase], i: int, state: State) -> Rewriting:
    """Write "of FOCUS" after a noun of relation and what is coordinated with it, the focus alone after a bare superlative."""
    phrase, focus = found[i], state.focus[0]
    bare = not any(is_relational(token.low) for token in tokens(phrase.text))
    end, word = phrase.end, "" if bare else "of "
    if _openness(question, found, i) == "second place":
        end = found[i + 1].end if phrase.head == "role" else phrase.end
        word = "in " if phrase.head == "role" else "of "
    for after in found[i + 1 :]:
        link = [token.low for token in tokens(question[end : after.start])]
        if link and link[0] in {"and", "or"} and after.relational and set(link[1:]) <= ARTICLES:
            end = after.end
    shown = focus if bare else the(focus, state)
    return Rewriting(f"{question[:end]} {word}{shown}{question[end:]}", (focus,))
