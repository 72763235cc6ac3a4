"""What a question asks for (a person, a date, a number, a reason, a way ...), what gives it, and where it is said to stand."""

import re
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Place", "asks_for", "gives", "place_of", "stands_in", "wanted", "which", "without_place"]

_MONTHS = (
    "january|february|march|april|june|july|august|september|october|november|december"
    "|januari|februari|maart|juni|juli|augustus|oktober"
    "|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre"
    "|janvier|février|mars|avril|juin|juillet|août|septembre|octobre|novembre|décembre|januar|februar|märz|dezember"
)
_DATE = re.compile(
    rf"\b1\d{{3}}s?\b|\b20\d\ds?\b|\b(?:{_MONTHS})\b|\bcentur(?:y|ies)\b|\b(?:eeuw|siglo|siècle|Jahrhundert)\b"
    r"|\d\s?(?:BC|AD|BCE|CE)\b|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|[年月日]",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen"
    r"|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundreds?|thousands?|millions?|billions?|dozens?|half"
    r"|third|thirds|quarters?|twice|double|twee|drie|vier|vijf|dos|tres|cuatro|cinco|deux|trois|quatre|cinq|zwei|fünf)\b"
    r"|[一二三四五六七八九十百千万]",
    re.IGNORECASE,
)
_REASON = re.compile(
    r"\b(?:because|due to|since|so that|in order|as a result|therefore|thus|caus\w+|reasons?|leads?|led|results?|to \w+"
    r"|omdat|doordat|want|wegens|porque|debido|parce|weil|wegen)\b|因为|由于",
    re.IGNORECASE,
)
# First rule that matches wins. Dutch, Spanish, French, German and Chinese have their commonest forms only.
_RULES = (
    (
        "number",
        r"\bhow (?:many|much|old|long|far|tall|large|big|high|often|fast|deep|wide|heavy|hot|cold|few)\b"
        r"|\bwhat (?:percent\w*|number|amount|proportion|population|score|fraction|share)\b"
        r"|\bhoeveel\b|\bhoe (?:oud|lang|groot|ver|hoog|vaak)\b|\bcu[aá]nt[oa]s?\b|\bcombien\b|\bwie ?viele?\b"
        r"|多少|几|幾",
    ),
    (
        "date",
        r"\bwhen\b|\b(?:what|which)(?: \w+)? (?:year|date|day|month|century|decade|time|era)\b"
        r"|\bwanneer\b|\bcu[aá]ndo\b|\bquand\b|\bwann\b|\bwelk jaar\b|什么时候|哪一年|何时",
    ),
    ("person", r"\bwho\b|\bwhom\b|\bwhose\b|\bwie\b(?!viel)|\bqui[eé]n(?:es)?\b|谁|誰"),
    (
        "place",
        r"\bwhere\b|\b(?:what|which)(?: \w+)? (?:city|cities|country|countries|state|place|location|county|town|village"
        r"|region|continent|river)\b|\bwaar\b(?!om)|\bd[oó]nde\b|\bwo\b|哪里|哪裡|何处",
    ),
    (
        "way",
        r"\bhow (?:do|does|can|could|to|should|must|would) (?!.*\b(?:many|much|long|often)\b)"
        r"|\bhoe (?:doe|maak|kan|moet|krijg|stel)\b"
        r"|\bwie (?:kann|mache?|muss|soll|stelle|richte)\b|\bcomment\b|\bc[oó]mo\b",
    ),
    (
        "reason",
        r"\bwhy\b|\bwhat (?:caused|causes|reasons?)\b|\bwaarom\b|\bpor qu[eé]\b|\bpourquoi\b|\bwarum\b|为什么|為什麼",
    ),
)
_ASKS = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _RULES)
_STEPS = re.compile(r"^\s*(?:\d{1,2}[.)]|[-*•])\s", re.MULTILINE)
_PLACE = re.compile(
    r"(?:\b(?:the|de|het|die|der|das|la|le|el)\s+)?"
    r"(?:§+|\b(?:section|sect?\.|chapter|clause|article|paragraph|appendix|part|hoofdstuk|paragraaf|sectie|artikel|deel|bijlage"
    r"|abschnitt|kapitel|absatz|teil|anhang|chapitre|partie|secci[oó]n|cap[ií]tulo|art[ií]culo)\b"
    r"|(?P<page>\b(?:page|pagina|bladzijde|seite|página)\b))\s*(?P<number>\d+(?:\.\d+)*|(?-i:[IVX]+\b|[A-H]\b))(?![-\w])",
    re.IGNORECASE,
)
_WHICH = re.compile(r"\b(?:which|welke?|welcher?|welches|quel(?:le)?s?|cu[aá]l(?:es)?) ([^\W\d_]{3,})\b", re.IGNORECASE)
_REQUEST = re.compile(
    r"^\W*(?:please |bitte |graag )?(?:list|name|enumerate|show|give|tell|noem|toon|geef|nenne|zeige|gib|liste|cite|montre|donne"
    r"|nombra|enumera|muestra|dame)(?: me| us| mij| mir|-moi)?(?: a list of)?(?: all| alle| tou[ts]e?s?| todos?| todas?)?\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_][\w'’-]*")


def asks_for(question: str) -> str:
    """Name what kind of thing would answer a question.

    Returns:
        "number", "date", "person", "place", "way" or "reason"; "" where the question does not tell.
    """
    return next((kind for kind, pattern in _ASKS if pattern.search(question)), "")


class Place(NamedTuple):
    """A section or a page that a question names."""

    number: str
    page: bool = False


def place_of(question: str) -> Place | None:
    """The section or page that a question names: `What does section 2.2 say?` gives `Place("2.2")`."""
    found = _PLACE.search(question)
    return Place(found["number"], found["page"] is not None) if found else None


def stands_in(place: Place, headings: Sequence[str], page: int | None) -> bool:
    """Whether what stands under some headings, on a page, stands in a place: one heading begins with its number."""
    if place.page:
        return page is not None and str(page) == place.number
    begins = re.compile(rf"^\W*(?:[^\W\d_]+\.?\W+)?{re.escape(place.number)}(?!\w|[.,]\d)", re.IGNORECASE)
    return any(begins.match(heading) for heading in headings)


def without_place(question: str) -> str:
    """A question about a section as one about a file: what it asks of it is the same."""
    return _PLACE.sub("this file", question)


def which(question: str) -> str:
    """What a question wants one of: "branch" of `Which branch repairs tractors?`; "" where it wants none."""
    found = _WHICH.search(question)
    return found[1] if found else ""


def wanted(question: str) -> str:
    """A question without the request that it begins with ("List all ..."): what answers need not hold its words."""
    return _REQUEST.sub("", question) or question


def gives(kind: str, text: str, question: str) -> bool:
    """Say whether a text holds something of the kind asked for that the question does not hold already.

    Args:
        kind: As `asks_for` gives it; "" is given by any text.
        text: A sentence.
        question: The question: its own names and numbers do not answer it.
    """
    if not kind:
        return True
    if kind == "way":
        return bool(_STEPS.search(text))
    if kind == "reason":
        return bool(_REASON.search(text))
    asked = {match.group().casefold() for match in _WORD.finditer(question)}
    new = [match.group() for match in _WORD.finditer(text) if match.group().casefold() not in asked]
    if kind == "number":
        return bool(_NUMBER.search(" ".join(new)))
    if kind == "date":
        return bool(_DATE.search(" ".join(new)))
    # Persons and places are names. A sentence in which every letter lacks case (Chinese, Arabic) may hold some.
    capital = any(char.isupper() for char in text)
    return not capital or any(word[0].isupper() for word in new[1:]) or (bool(new) and new[0] not in text.split()[:1])
