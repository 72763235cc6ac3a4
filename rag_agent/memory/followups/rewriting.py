"""Say a turn in full: put what it leans on into the question, so that it can be searched for and shown."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag_agent.memory.followups.antecedents import State, antecedents, joined, same_words
from rag_agent.memory.followups.phrases import Phrase, Token, is_relational, listed_items, own_anchors, phrases, singular, tokens
from rag_agent.memory.followups.pointers import pointer_kind
from rag_agent.memory.followups.transforms import other_language
from rag_agent.memory.followups.words import (
    ARTICLES,
    AUXILIARIES,
    LIGHT,
    OPEN_AFTER,
    ORDINALS,
    PARTITIVE,
    PLACE_NOUNS,
    PREPOSITIONS,
    SUPERLATIVE,
    UNSPACED_PRONOUNS,
    WHO,
    Language,
)


@dataclass(frozen=True)
class Rewriting:
    """A turn said in full.

    Attributes:
        query: The full question.
        carried: What was put in from the conversation.
        pointed: A pronoun was resolved: the conversation stays on what it stood for.
        replaces: The turn changed the subject of the question before ("what about X?"): the query is the new stand-alone question.
    """

    query: str
    carried: tuple[str, ...]
    pointed: bool = False
    replaces: bool = False


_LONGEST = 400  # characters; a longer turn says enough by itself


def rewrite(question: str, state: State, language: Language) -> Rewriting | None:
    """Say a turn in full.

    Args:
        question: The turn.
        state: The conversation before it.
        language: Of the conversation.

    Returns:
        None for a turn that stands alone.
    """
    if not state.question or len(question) > _LONGEST or not tokens(question):
        return None
    for attempt in (
        _unspaced,
        _language_swap,
        _correction,
        _pick,
        _ellipsis,
        _pointers,
        _repeated_head,
        _open_relation,
    ):
        found = attempt(question, state, language)
        if found is not None:
            return found
    return None


def _unspaced(question: str, state: State, language: Language) -> Rewriting | None:
    """Scripts without spaces: a pronoun inside, or a very short turn, leans on the question before."""
    unspaced = re.search(r"[\u3040-\u30ff\u3400-\u9fff]", question) is not None
    if unspaced and any(pronoun in question for pronoun in UNSPACED_PRONOUNS):
        return Rewriting(f"{state.question} {question}", (state.question,), pointed=True)
    return None


def _language_swap(question: str, state: State, language: Language) -> Rewriting | None:
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


def _correction(question: str, state: State, language: Language) -> Rewriting | None:
    """Recognise "no, I meant Collins" and "not Armstrong, Aldrin": the last question again, with the right subject."""
    found = _MEANT.match(question) or _NOT_BUT.match(question) or _NEW_NOT_OLD.match(question)
    if found is None or len(tokens(found["new"])) > 8:
        return None
    new = found["new"].strip(" .,!?\"'")
    if found["old"] and not same_words(found["old"], f"{state.question} {state.answer}"):
        return None
    return _with_subject(new, state, language, found["old"])


_ARTICLE_BEFORE = re.compile(r"\b(?:the|an?|de|het|el|la|le|der|die|das)\s$", re.I)
_ARTICLE_FIRST = re.compile(r"(?:the|an?|de|het|el|la|le|der|die|das)\s", re.I)


def _with_subject(new: str, state: State, language: Language, old: str | None = None) -> Rewriting:
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


def _pick(question: str, state: State, language: Language) -> Rewriting | None:
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


def _ellipsis(  # noqa: C901 - the forms of an ellipsis, tried one after the other
    question: str, state: State, language: Language
) -> Rewriting | None:
    """Complete turns that are no whole question: "why?", "what about X?", "and in 1990?"."""
    found = tokens(question)
    if not found:
        return None
    if all(
        token.low in language.function or token.low in {"come", "example", "tell", "more", "go", "explain"} for token in found
    ):
        pointing = any(pointer_kind(found, i, question, language) for i in range(len(found)))
        if not pointing and len(found) <= 5:
            return Rewriting(f"{question.rstrip()} {state.question}", (state.question,))
        if not pointing:
            return None
    adverbial = language.wh - {"who", "what", "which", *WHO, "wat", "qué", "cuál", "quoi", "was"}
    content = [token for token in found if token.low not in language.function and token.low not in adverbial]
    if language.code != "en" and found[0].low in adverbial and len(content) == 1 and not content[0].capital and state.focus:
        if not any(pointer_kind(found, i, question, language) for i in range(len(found))):
            return _append(question, state)  # languages that leave the pronoun out: "¿Cuándo murió?"
    low = " ".join(question.lower().replace("’", "'").split())
    opener = next((one for one in language.openers if low.startswith((one + " ", one + ", "))), None)
    if opener is None:
        return None
    rest = " ".join(question.split())[len(opener) :].strip(" ,")
    start = tokens(rest)
    if not start:
        return None
    if any(pointer_kind(start, i, rest, language) for i in range(len(start))):
        return _pointers(rest, state, language)
    clause = start[0].low in AUXILIARIES or (start[0].low in language.function and start[0].low in _QUESTION_WORDS)
    if clause:
        return _clause(rest, state, language)
    inside = phrases(rest, language)
    if start[0].low in PREPOSITIONS:
        return Rewriting(f"{state.question.rstrip(' ?.!')} {rest}", (state.question.rstrip(" ?.!"),))
    if inside and all(phrase.relational for phrase in inside):
        return _insert(rest, inside, len(inside) - 1, state) if state.focus else None
    return _with_subject(rest.rstrip(" ?.!"), state, language)


_QUESTION_WORDS = frozenset(
    "who what which when where why how wie wat welke wanneer waar hoe quién qué cuándo dónde cómo qui quoi quand où comment wer was wann wo".split()
)


def _clause(rest: str, state: State, language: Language) -> Rewriting | None:
    """Complete "and who stayed in orbit?": a whole clause whose opener says that it goes on from the turn before."""
    other = _repeated_head(rest, state, language) or _open_relation(rest, state, language)
    if other is not None:
        return other
    mine = own_anchors(rest, language)
    if any(phrase.named for phrase in mine) or not state.focus:
        return None
    return _append(rest, state)


def _append(question: str, state: State) -> Rewriting:
    """Put the focus at the end, in brackets, where no better place is known."""
    focus = state.focus[:1]
    return Rewriting(f"{question.rstrip()} ({', '.join(focus)})", focus)


def _pointers(question: str, state: State, language: Language) -> Rewriting | None:
    """Put what pronouns stand for in their place."""
    found = tokens(question)
    pieces: list[str] = []
    carried: list[str] = []
    done = 0
    for i, token in enumerate(found):
        kind = pointer_kind(found, i, question, language) or _ones(found, i, language)
        if not kind:
            continue
        texts = antecedents("thing" if kind in ("one", "demonstrative") else kind, token.low, state, language)
        texts = tuple(text for text in texts if not same_words(text, question)) or _another(question, state, language)
        if not texts:
            continue
        joined_texts = " and ".join(_the(text, state) for text in texts)
        after = found[i + 1].low if i + 1 < len(found) else ""
        possessive = token.low in language.possessive and after and (after not in language.function)
        pieces.append(question[done : token.start])
        if any(text in carried for text in texts):
            pieces.append(question[token.start : token.start + len(token.low)])
        elif question[: token.start].endswith("-"):  # est-elle née
            pieces.append(f"{token.text} ({joined_texts})")
        elif kind == "place" and (found[i - 1].low not in PREPOSITIONS if i else True):
            pieces.append(f"{_IN[language.code]} {joined_texts}")
        elif language.code == "en":
            pieces.append(joined_texts + (("'" if joined_texts.endswith("s") else "'s") if possessive else ""))
        else:  # word order and case differ: keep the word, add what it stands for
            pieces.append(
                f"{question[token.start : token.start + len(token.low)]} ({joined_texts})" if possessive else joined_texts
            )
        carried.extend(text for text in texts if text not in carried)
        done = token.start + len(token.low)
    if not carried:
        return None
    pieces.append(question[done:])
    return Rewriting("".join(pieces), tuple(carried), pointed=True)


def _another(question: str, state: State, language: Language) -> tuple[str, ...]:
    """Another phrase of the last question, where the turn already names the likeliest antecedent."""
    others = [phrase.text for phrase in own_anchors(state.question, language) if not phrase.empty]
    return tuple([text for text in others if not same_words(text, question)][:1])


_IN = {"en": "in", "nl": "in", "es": "en", "fr": "à", "de": "in"}


def _ones(found: Sequence[Token], i: int, language: Language) -> str:
    """Recognise "popular ones", "which one": a noun left out."""
    if language.code != "en" or found[i].low not in {"one", "ones"}:
        return ""
    after = found[i + 1].low if i + 1 < len(found) else ""
    before = found[i - 1].low if i else ""
    if found[i].low == "ones":
        return "one"
    return (
        "one"
        if (not after or after in language.function) and (before in LIGHT or before in {"which", "the", "this", "that"})
        else ""
    )


def _repeated_head(question: str, state: State, language: Language) -> Rewriting | None:
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


def _the(text: str, state: State) -> str:
    """Give a text back its article, where the conversation used one."""
    used = any(phrase.text == text and phrase.article for phrase in state.anchors)
    return f"the {text}" if used else text


def _is_head_of(phrase: Phrase, longer: str) -> bool:
    """Say whether a phrase is the last word of a longer one, in either number: "plans", "529 plan"."""
    last = longer.lower().split()[-1]
    return len(longer.split()) > 1 and singular(last) == singular(phrase.text.lower())


def _open_relation(question: str, state: State, language: Language) -> Rewriting | None:
    """Complete a noun of relation without its "of what": "the symptoms", "which types", "are there any benefits"."""
    if language.code != "en" or not state.focus or any(same_words(text, question) for text in state.focus):
        return None
    found = phrases(question, language)
    anchors = [phrase for phrase in found if not phrase.relational]
    for i, phrase in enumerate(found):
        how = _openness(question, found, i)
        if how == "superlative" or how == "second place":
            return _insert(question, found, i, state)
        if how and not anchors:
            return _insert(question, found, i, state)
        partitive = phrase.head in PARTITIVE and _WHICH_ONE.match(question[phrase.end :]) and phrase.text.lower() == phrase.head
        if how and partitive and not any(anchor.named for anchor in anchors):
            return _insert(question, found, i, state)
    if not anchors and len(tokens(question)) <= _BRIEF and not any(how for how in _SELF if how in question.lower()):
        return _append(question, state)
    if any(token.low == "nearby" for token in tokens(question)) and not any(anchor.named for anchor in anchors):
        places = antecedents("place", "there", state, language)
        return Rewriting(f"{question.rstrip(' ?.!')} near {places[0]}?", places)
    if _EXISTS.match(question) and len(found) == 1 and not found[0].named:
        return _insert(question, found, 0, state)
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
    return "" if possessed and possessed.group(1).lower() not in _QUESTION_WORDS else "relation"


_COORDINATED = re.compile(r"\s+(?:and|or)\s+(?:(?:the|an?)\s+)?", re.I)


def _insert(question: str, found: Sequence[Phrase], i: int, state: State) -> Rewriting:
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
    shown = focus if bare else _the(focus, state)
    return Rewriting(f"{question[:end]} {word}{shown}{question[end:]}", (focus,))
