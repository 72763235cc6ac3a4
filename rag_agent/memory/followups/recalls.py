"""Questions about the conversation itself, such as "What did I ask you first?" and "What was your answer about the bridge?".

Documents hold such words too, so only what names a speaker of this conversation (I, you, we) and what was said counts, and the
whole question must be of that form: whatever else stands in it makes it a question like any other.
"""

import re
from typing import NamedTuple

_LONGEST = 200  # characters; a longer turn asks for more
_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth".split()
_NUMBERS = "one two three four five six seven eight nine ten".split()
_NTH = rf"{'|'.join(_ORDINALS)}|\d{{1,4}}(?:st|nd|rd|th)|last|previous|latest"
_WHEN = (
    r"(?:in (?:the )?(?:turn|message) (?:number |no\.? ?)?(?P<turn>\d{1,4}|" + "|".join(_NUMBERS) + r")|"
    rf"(?:in|at) (?:the|my|your) (?P<nth>{_NTH}) (?:turn|message|question|answer)|"
    r"(?P<first>(?:at )?first|originally|initially|(?:at|in) the (?:very )?(?:start|beginning)|to begin with)|"
    r"(?P<last>last|just(?: now)?|a moment ago)|"
    r"(?P<past>earlier(?: on)?|before|previously|already|a while ago|so far)|"
    r"(?:(?P<here>earlier |before |so far )?in (?:this|our) (?:conversation|chat|thread|discussion)))"
)
_LEADING = re.compile(rf"{_WHEN}[\s,]+", re.I)
_TRAILING = re.compile(rf"(?:^|[\s,]+){_WHEN}$", re.I)
_POLITE = r"(?:(?:and|so|but|ok(?:ay)?|please|sorry|again|wait)[\s,]+){0,2}"
_TO = r"(?P<to>(?: to)? (?:you|me|us))?"
_SAID = r"(?P<verb>ask|say|said|tell|told|mention|answer|reply|replied|respond|discuss|talk|speak|spoke)(?:e?d)?"
_HEADS = [
    re.compile(rf"{_POLITE}{head}(?=[\s,]|$)", re.I)
    for head in (
        rf"what(?: else| exactly)? did (?P<who>I|you|we) (?:(?P<adverb>first|last|just|originally|previously) )?{_SAID}{_TO}",
        rf"(?:what|which) (?:questions?|things?) did (?P<who>I|we) (?:(?P<adverb>first|last|just) )?{_SAID}{_TO}",
        rf"(?:what|which) (?:was|were) (?P<who>my|your)(?: very)?(?: (?P<adverb>{_NTH}))? (?P<verb>question|answer|reply|response)s?",
        rf"what(?:'s| is) (?P<who>my|your)(?: very)? (?P<adverb>{_NTH}) (?P<verb>question|answer|reply|response)",
        rf"what(?:'s| was| is| were) the(?: very)? (?P<adverb>{_NTH}) (?:questions?|things?|answers?)(?: that| which)? "
        rf"(?P<who>I|you|we)(?: have| had)? {_SAID}{_TO}",
        r"(?:(?:can|could|would) you |please )?(?:remind me|tell me again|do you (?:still )?(?:remember|recall)) what "
        rf"(?P<who>I|you|we)(?: have| had)? (?:(?P<adverb>first|last|just|originally|previously) )?{_SAID}{_TO}",
    )
]
_ABOUT = re.compile(r"(?:when I asked(?: you)? |to (?:my|the) question )?(?:about|on|regarding|concerning) (?P<about>\S.*)", re.I)
_IN_A_TEXT = re.compile(
    r"\b(?:in|of|from|at|during|for|by) (?:(?:the|this|that|these|those|my|our|your|an?) )?(?:[\w-]+ ){0,2}"
    r"(?:reports?|documents?|files?|papers?|letters?|e-?mails?|books?|articles?|texts?|notes?|diar(?:y|ies)|journals?|chapters?|pages?|"
    r"minutes|meetings?|speech(?:es)?|interviews?|transcripts?|contracts?|manuals?|statements?|memos?|posts?|blogs?|logs?|sections?|"
    r"appendix|sources?|calls?)\b",
    re.I,
)


class Recall(NamedTuple):
    """What of the conversation is asked for."""

    turn: int | None = None
    """Its number, counted from 1, where the question names one."""
    nth: int = 0
    """Which of those that match: 1 is the first, -1 the last, 0 the one that matches best."""
    about: str = ""
    """What it is about, "" where the question names nothing."""


def recall_of(question: str) -> Recall | None:
    """Read a question about the conversation itself; None for any other."""
    text = " ".join(question.replace("’", "'").split()).rstrip(" ?.!")
    if len(text) > _LONGEST or _IN_A_TEXT.search(text):
        return None
    when = []
    if leading := _LEADING.match(text):
        when.append(leading)
        text = text[leading.end() :]
    head = next((found for pattern in _HEADS if (found := pattern.match(text))), None)
    if head is None:
        return None
    rest = text[head.end() :].strip(" ,")
    while trailing := _TRAILING.search(rest):
        when.append(trailing)
        rest = rest[: trailing.start()]
    if leading := _LEADING.match(rest):
        when.append(leading)
        rest = rest[leading.end() :]
    topic = _ABOUT.fullmatch(rest)
    if (rest.lower() not in ("", "about") and topic is None) or not (when or _names_the_conversation(head)):
        return None
    adverb = head.groupdict().get("adverb")
    return _recall([match.groupdict() for match in when], adverb.lower() if adverb else "", topic["about"] if topic else "")


def _names_the_conversation(head: re.Match[str]) -> bool:
    """Whether it is plain without "earlier" that no document is meant: users write about what they said elsewhere, too."""
    said = head.groupdict()
    return said["who"].lower() in ("you", "your", "my") or said["verb"].lower() == "ask" or bool(said.get("to"))


def _recall(when: list[dict[str, str | None]], adverb: str, about: str) -> Recall:
    found = {name: value.lower() for match in when for name, value in match.items() if value}
    if turn := found.get("turn"):
        return Recall(int(turn) if turn.isdigit() else _NUMBERS.index(turn) + 1)
    nth = _nth(found.get("nth") or adverb)
    if not nth:
        nth = 1 if "first" in found else -1 if "last" in found else 0
    return Recall(nth=nth, about=about)


def _nth(word: str) -> int:
    if word in _ORDINALS:
        return _ORDINALS.index(word) + 1
    if word[:1].isdigit():
        return int(word[:-2])
    return {"originally": 1, "last": -1, "previous": -1, "latest": -1, "just": -1}.get(word, 0)
