"""Say a turn in full: put what it leans on into the question, so that it can be searched for and shown."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from rag_agent.language import Talk
from rag_agent.memory.followups.antecedents import State, antecedent, pointer
from rag_agent.memory.followups.phrases import Phrase, Token, content, phrases, talk_of, tokens

_BRIEF = 8  # words; a longer turn says enough by itself, unless it points
_FRAGMENT = 4  # words of a turn that may be a part of a question without saying so ("on phones?")
_BULLET = re.compile(r"\s*(?:[-*•–]|\(?\d{1,2}[.)])\s+")
_OWNER = re.compile(r"['’]s? ")
_BORDER = re.compile(r"(?:[:,–—.?!]|(?<=\s)-)\s+")


class Rewriting(NamedTuple):
    """A turn said in full."""

    query: str
    subject: str = ""
    """What it is about from now on, where that is another than before."""
    sure: bool = True
    """Something in the turn points outside it; else it may as well stand alone."""


def rewrite(question: str, state: State, talk: Talk) -> Rewriting | None:
    """Say a turn in full; None for a turn that stands alone.

    Args:
        question: The turn, white space collapsed.
        state: The conversation before it.
        talk: Its language.
    """
    if not tokens(question):
        return None
    for attempt in (subject_first, correction, pick, part, pointers, unsaid):
        if found := attempt(question, state, talk):
            return found
    return None


def subject_first(question: str, state: State, talk: Talk) -> Rewriting | None:
    """Read a turn that names first what it asks about: "Back to the rocket: who built it?"."""
    border = _BORDER.search(question)
    if border is None:
        return None
    before, after = question[: border.start()], question[border.end() :]
    lows, found = [token.low for token in tokens(before)], tokens(after)
    if not lows or set(lows) & (_asking(talk) | talk.be | talk.do) or lows[0] in talk.preposition - talk.back:
        return None
    named = [
        phrase for phrase in phrases(before, talk) if not content(phrase.text, talk) <= talk.back and not phrase.text.isdigit()
    ]
    points = next((i for i in range(len(found)) if pointer(found, i, after, talk)), None)
    if points is None or not named:
        return None
    subject = named[-1]
    text = question[subject.start - len(subject.article) - 1 if subject.article else subject.start : subject.end]
    return Rewriting(_put(after, found[points], text, talk, found), subject.text)


def correction(question: str, state: State, talk: Talk) -> Rewriting | None:
    """Ask the last question again with another part: "No, I meant Collins", "not Armstrong, Aldrin", "I meant where"."""
    found = tokens(question)
    marks = talk.meant - talk.speakers
    start = next((i for i, token in enumerate(found) if token.low not in talk.meant | talk.closed), len(found))
    prefix, rest = found[:start], found[start:]
    if not state.corrected or len(found) > 2 * _BRIEF:
        return None
    verbs = _asking(talk) | talk.be | talk.do
    said = any(token.low in marks - talk.closed for token in prefix) or found[0].low in marks
    said = said or (len(found) > 1 and found[0].low in talk.i and found[1].low in marks)
    among = found if not rest else rest if not any(token.low in verbs for token in prefix) else []
    negated = any(token.low in marks & talk.closed for token in among)
    if not (said or negated) or any(token.low in verbs for token in rest):
        return None
    asked = [token.text for token in prefix if token.low in _asking(talk)]
    if not rest or (asked and prefix[-1].low in _asking(talk)):
        before = {token.low for token in tokens(state.corrected)[:1]}
        new = next((text for text in asked if text.casefold() not in before), "")
        return exchange(new, state.corrected, talk) if new else None
    known = content(f"{state.corrected} {state.answer}", talk)
    parts = [part for part in _parts(question, rest, talk) if not content(part, talk) <= known]
    return exchange(parts[0], state.corrected, talk) if len(parts) == 1 else None


def _parts(question: str, rest: Sequence[Token], talk: Talk) -> list[str]:
    """What stands between the commas, the "but" and the "not" of a correction."""
    parts: list[list[Token]] = [[]]
    for i, token in enumerate(rest):
        gap = question[rest[i - 1].end : token.start] if i else ""
        if any(c in ",;.!?" for c in gap) or token.low in talk.link | talk.meant:
            parts.append([])
        if token.low not in talk.link | talk.meant:
            parts[-1].append(token)
    return [question[part[0].start : part[-1].end] for part in parts if part]


def _asking(talk: Talk) -> frozenset[str]:
    return talk.how | talk.which | talk.who


def part(question: str, state: State, talk: Talk) -> Rewriting | None:
    """Complete a part of a question: "And Aldrin?", "What about lung cancer?", "And to the Netherlands?", "where?"."""
    found = tokens(question)
    lows = tuple(token.low for token in found)
    opener = next((words for words in talk.opener if lows[: len(words)] == words), ())
    rest = found[len(opener) :]
    if not state.question or not rest or len(rest) > _BRIEF:
        return None
    text = question[rest[0].start :].rstrip(" .!?")
    asks = [token for token in rest if token.low in _asking(talk)]
    if len(asks) == 1 and len(rest) <= 2 and all(token.low in talk.closed - talk.thing - talk.person for token in rest):
        return exchange(asks[0].text, state.question, talk)
    if any(token.low in _asking(talk) | talk.do | talk.be for token in rest):
        return None
    if any(pointer(rest, i, text, talk) for i in range(len(rest))):
        return None
    if not opener and (len(rest) > _FRAGMENT or not question.rstrip().endswith("?") or not phrases(text, talk)):
        return None
    return exchange(text, state.question, talk)._replace(sure=bool(opener))


def exchange(new: str, question: str, talk: Talk) -> Rewriting:
    """The question with the part that is most like a new one exchanged for it; with it behind, where none is."""
    words, old = tokens(new), tokens(question)
    if len(words) == 1 and words[0].low in _asking(talk):
        asked = len(old) > 1 and old[0].low in _asking(talk) and old[1].low in talk.be | talk.do
        return Rewriting(new + question[old[0].end :] if asked else f"{new}: {question}")
    inside, found = phrases(new, talk, whole=False), phrases(question, talk_of(question))
    subject = new[inside[0].start : inside[-1].end] if inside else ""
    start = end = -1
    if words[0].low in talk.preposition:
        behind = [phrase for phrase in found if phrase.preposition]
        same = [phrase for phrase in behind if phrase.preposition == words[0].low]
        alike = [p for p in behind[-1:] if p.preposition not in talk.of and _digits(p.text) == _digits(new)]
        named = [p for p in found if p.named and inside and inside[-1].named and not (_digits(new) or _digits(p.text))]
        if chosen := same or alike:
            start, end = question.casefold().rindex(chosen[-1].preposition, 0, chosen[-1].start), chosen[-1].end
            subject = ""
        elif named:  # "and for Collins?" after "When was Aldrin born?"
            new, start, end = inside[-1].text, named[-1].start, named[-1].end
    elif best := _most_alike(new, found, talk):
        start, end = best.start, best.end
        at = found.index(best)
        if len(inside) > 1 and inside[1].preposition in talk.of and at and best.preposition in talk.of:
            best = replace(found[at - 1], end=end)  # "the siege of York" for "the battle of Hastings"
            start = best.start
        if at and _OWNER.fullmatch(question[found[at - 1].end : start]):  # "the children's ward"
            best = found[at - 1]
            start = best.start
        if best.article and (words[0].low in talk.the or words[0].capital):
            start = question.casefold().rindex(best.article, 0, start)
        # "and the warranty on phones?": its "on phones" takes the place of "on tablets", too.
        end = max([end, *(p.end for p in found if p.preposition and p.preposition in {one.preposition for one in inside})])
    if start < 0:
        return Rewriting(f"{question.rstrip(' ?.!')} {new}?", subject)
    return Rewriting(question[:start] + new + question[end:], subject)


def _most_alike(new: str, found: list[Phrase], talk: Talk) -> Phrase | None:
    """The phrase with a word in common, else the last one of the same kind (name, number or neither), else the last."""
    words = content(new, talk)
    named = any(token.capital for token in tokens(new))

    def likeness(phrase: Phrase) -> tuple[bool, bool, bool, int]:
        alike = any(token.capital for token in tokens(phrase.text)) == named
        return bool(words & content(phrase.text, talk)), _digits(phrase.text) == _digits(new), alike, phrase.start

    return max(found, key=likeness, default=None)


def _digits(text: str) -> bool:
    return any(c.isdigit() for c in text)


def pick(question: str, state: State, talk: Talk) -> Rewriting | None:
    """Put the item in place of "the second one", where the last answer enumerates some."""
    found = tokens(question)
    for i, token in enumerate(found):
        after = found[i + 1].low if i + 1 < len(found) else ""
        number = -1 if token.low in talk.last else talk.nth.index(token.low) if token.low in talk.nth else None
        if number is None or not i or found[i - 1].low not in talk.the or (after and after not in talk.closed):
            continue
        items = listed(state.answer, talk)
        if number < len(items) and len(items) > 1:
            end = found[i + 1].end if after in talk.one else token.end
            return Rewriting(question[: found[i - 1].start] + items[number] + question[end:])
    return None


def listed(answer: str, talk: Talk) -> list[str]:
    """What an answer enumerates: its lines with bullets or numbers, else the longest "A, B and C"."""
    lines = [_BULLET.sub("", line).strip(" .;") for line in answer.splitlines() if _BULLET.match(line)]
    if len(lines) > 1:
        return lines
    links = "|".join(map(re.escape, sorted(talk.link)))
    pieces = [re.split(rf",|\b(?:{links})\b", sentence) for sentence in re.split(r"[.!?;:]\s", answer)]
    found = [[phrases(piece.strip(" .!?"), talk, whole=False) for piece in sentence] for sentence in pieces]
    best = max(([one for one in sentence if one] for sentence in found), key=len, default=[])
    return [best[0][-1].text, *(one[0].text for one in best[1:])] if len(best) > 1 else []


def pointers(question: str, state: State, talk: Talk) -> Rewriting | None:
    """Put what pronouns stand for in their place."""
    query, found = question, tokens(question)
    for i in range(len(found) - 1, -1, -1):
        kind = pointer(found, i, question, talk)
        texts = antecedent(kind, state, talk) if kind else ()
        texts = tuple(text for text in texts if not content(text, talk) <= content(question, talk))
        if texts:
            query = _put(query, found[i], f" {_and(talk)} ".join(texts), talk, found)
    return Rewriting(query) if query != question else None


def _and(talk: Talk) -> str:
    return {"en": "and", "nl": "en", "de": "und", "fr": "et", "es": "y"}[talk.code]


def _put(text: str, token: Token, what: str, talk: Talk, found: list[Token]) -> str:
    """A text with a pronoun exchanged for what it stands for, or with that in brackets where grammar asks for another form."""
    after = next((other.low for other in found if other.start >= token.end), "")
    owner = token.low in talk.her and after and after not in talk.closed
    if owner:
        what = f"{what}'{'' if what.endswith('s') else 's'}" if talk.code == "en" else f"{token.text} ({what})"
    elif text[: token.start].endswith(("-", "'", "’")) or (token.low in talk.clitic and token.low not in talk.thing):
        what = f"{token.text} ({what})"
    elif token.low in talk.there:
        what = f"{ {'en': 'in', 'nl': 'in', 'de': 'in', 'fr': 'à', 'es': 'en'}[talk.code] } {what}"
    return text[: token.start] + what + text[token.end :]


def unsaid(question: str, state: State, talk: Talk) -> Rewriting | None:
    """Complete what says too little alone: "What are the symptoms?", "Are there any benefits?", "¿Cuándo murió?".

    A question goes on from the conversation where it names nothing and repeats no word of it. That is sure where it asks what
    "the X" is and no more, or for others; else the documents may well have one such thing alone, and it stands alone.
    """
    found = phrases(question, talk)
    lows = [token.low for token in tokens(question)]
    known = content(question, talk) & content(state.focus, talk)
    if not state.focus or len(lows) > 2 * _BRIEF or any(phrase.named for phrase in found) or known:
        return None
    if len(found) == 1 and not found[0].article and _introduced(lows, found[0], talk):
        return None
    definite = all(phrase.article or phrase.preposition for phrase in found)
    compared = bool(set(lows) & talk.other)
    if not (definite or compared) and content(question, talk) & state.said:
        return None
    asks_what = lows[0] in talk.which | talk.who and lows[1:2] and lows[1] in talk.be
    sure = compared or not found or bool(asks_what and len(found) == 1 and found[0].article)
    return Rewriting(f"{question.rstrip()} ({state.focus})", sure=sure)


def _introduced(lows: list[str], phrase: Phrase, talk: Talk) -> bool:
    """Whether a turn does nothing but name a new subject: "What is anaemia?", "Tell me about makos"."""
    words = [token.low for token in tokens(phrase.text)]
    before = lows[: len(lows) - len(words)]
    if lows[-len(words) :] != words:
        return False
    return phrase.preposition in talk.about or (
        len(before) > 1 and before[0] in talk.which | talk.who and before[1] in talk.be and len(before) < 4
    )
