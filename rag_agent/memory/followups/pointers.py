"""Which words of a turn point outside it: pronouns and demonstratives that find nothing in their own turn."""

from collections.abc import Sequence

from rag_agent.memory.followups.phrases import Phrase, Token, looks_plural, own_anchors, tokens
from rag_agent.memory.followups.words import AUXILIARIES, CLAUSE_BREAKS, EMPTY_IT, PREPOSITIONS, Language

_RELATIVE = {"that", "which", "in", "to", "whom", "where", "of", "for"}


def _antecedent_inside(found: Sequence[Token], i: int, question: str, language: Language) -> bool:
    """Say whether word i can stand for a phrase of its own turn.

    A pronoun that opens a later clause ("what is CBT and how does it work") may mean any phrase before it; a possessive ("Tesla ... his
    honor") or a subject ("when has Toyota said it will") may mean one that agrees in number. An object never means the subject of its own
    clause ("does a lack of sunlight cause it"), and a relative clause is not about the noun it hangs on ("the plants they discovered").
    """
    before = [phrase for phrase in own_anchors(question, language) if phrase.end <= found[i].start]
    breaks: list[int] = [j for j in range(i) if found[j].low in CLAUSE_BREAKS]
    breaks += [j for j in range(1, i + 1) if any(c in ",;:.?!" for c in question[found[j - 1].end : found[j].start])]
    if breaks and all(found[j].low in language.function for j in range(max(breaks), i)):
        return any(phrase.start < found[max(breaks)].start for phrase in before)
    if language.code != "en":
        return False
    low = found[i].low
    after = found[i + 1].low if i + 1 < len(found) else ""
    possessive = low in language.possessive and after and after not in language.function
    if possessive and found[0].low in {"who", "which"} and len(found) > 1 and found[1].low not in AUXILIARIES and i > 1:
        return True  # who gained fame for her actions
    agreeing = [phrase for phrase in before if _agrees(phrase, low)]
    if possessive:
        return bool(agreeing)
    subject = low in {"it", "he", "she", "they"} and after and after not in PREPOSITIONS
    free = [phrase for phrase in agreeing if phrase.end < _relative_start(question, before, found[i].start)]
    return bool(subject and free) and not _inverted(found, i)


def _agrees(phrase: Phrase, low: str) -> bool:
    """Say whether a phrase and a pronoun can agree: names with all, other phrases by number."""
    if low in {"they", "their", "them"}:
        return looks_plural(phrase.text) or (phrase.named and low == "their")
    return low != "it" and low != "its" or not looks_plural(phrase.text)


def _relative_start(question: str, before: Sequence[Phrase], at: int) -> int:
    """Start of the phrases, "plants and animals", that a relative clause beginning at a pronoun hangs on; the pronoun itself where none."""
    start = at
    for phrase in reversed(before):
        gap = {token.low for token in tokens(question[phrase.end : start])}
        if gap - (_RELATIVE if start == at else {"and", "or"}):
            break
        start = phrase.start
    return start


def _inverted(found: Sequence[Token], i: int) -> bool:
    """Say whether the pronoun is the subject of the main question: "... did they", "... is it"."""
    return i > 0 and found[i - 1].low in AUXILIARIES and found[i - 1].low not in {"that", "s"}


def _points_at_nothing(found: Sequence[Token], i: int) -> bool:
    """Recognise the "it" of "is it true that", "does it take to", "what does it mean when", "what is it called when"."""
    before = found[i - 1].low if i else ""
    after = [token.low for token in found[i + 1 : i + 5]]
    if after[:1] == ["be"]:
        after = after[1:]
    if len(after) < 2:
        return False
    if after[0] in EMPTY_IT and after[1] in {"to", "that", "if", "for"} and before in AUXILIARIES:
        return True
    if after[0] in {"take", "takes"}:
        return bool({"to", "for"} & set(after[1:])) or after[1] == "long"
    if after[0] in {"mean", "means", "called"}:
        return bool({"to", "when", "if", "that"} & set(after[1:]))
    return after[0] in {"raining", "snowing", "came", "comes"}


def pointer_kind(found: Sequence[Token], i: int, question: str, language: Language) -> str:
    """Classify word i of a turn.

    Returns:
        "person", "thing", "place", "demonstrative" (this, that + nothing), or "" for a word that does not point back.
    """
    low = found[i].low
    before = found[i - 1].low if i else ""
    after = found[i + 1].low if i + 1 < len(found) else ""
    if found[i].text.isupper() and len(low) > 1:
        return ""
    kind = ""
    if before in {"by", "of"} and low in {"himself", "herself", "itself", "themselves"}:
        return ""
    if language.code == "en" and low in {"this", "that", "these", "those"}:
        bare = not after or (after in language.function and after not in {"of", "in", "at", "from", "who", "which"})
        placed = i == 0 or before in AUXILIARIES or before in PREPOSITIONS or before in {"why", "how", "and", "but"}
        kind = "demonstrative" if bare and placed else ""
    elif low in language.place:
        empty = before in AUXILIARIES or after in AUXILIARIES or after in {"any", "a", "some", "no", "an", "to"}
        kind = "" if language.code == "en" and empty else "place"
    elif low in language.person and (low not in language.thing or _is_person_pronoun(low, language)):
        kind = "person"
    elif low in language.thing:
        kind = "" if low == "it" and _points_at_nothing(found, i) else _other_thing(found, i, language)
    return "" if kind and _antecedent_inside(found, i, question, language) else kind


def _is_person_pronoun(low: str, language: Language) -> bool:
    """Words that are first of all personal in a language where the same form also points at things."""
    return (language.code, low) in {("nl", "hij"), ("nl", "zij")}


def _other_thing(found: Sequence[Token], i: int, language: Language) -> str:
    """Tell pronouns from articles of the same form ("het boek", "hun") in languages where they coincide."""
    low, after = found[i].low, found[i + 1].low if i + 1 < len(found) else ""
    if language.code == "nl" and low in {"het", "deze", "dit", "dat"} and after and after not in language.function:
        # "het" before a content word is an article, unless the verb stood before it: "wanneer werd het gebouwd".
        turned = i > 0 and found[i - 1].low in language.function and after.startswith("ge")
        return "thing" if turned else ""
    if language.code == "de" and low in {"dieses"} and after and after not in language.function:
        return ""
    return "thing"
