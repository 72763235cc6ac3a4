"""Sentences of a text as character spans, without a model and in linear time.

A sentence is a slice of the text as it stands, so that a quote can be checked with `text[start:end] == quote`. Two
decisions are made one after the other: which line breaks end a sentence (headlines, list items) and which only wrap a
line (newspapers, e-mail); then which full stops end a sentence and which belong to an abbreviation, a number or a name.
"""

import re
from collections.abc import Iterator

from rag_agent.language.files import LANGUAGES, language

MAX_LENGTH = 600  # characters; above this a "sentence" is a table, a list or a text without full stops

# All languages together: which one a text is in need not be known, and documents mix them.
_ALL = [known for code in LANGUAGES if (known := language(code))]
_BEFORE_NAME = frozenset[str]().union(
    *(one.abbreviations.before_name for one in _ALL), "sig avv dott г гг ул им проф акад".split()
)
_BEFORE_NUMBER = frozenset[str]().union(*(one.abbreviations.before_number for one in _ALL))
_INSIDE = frozenset[str]().union(*(one.abbreviations.inside for one in _ALL))
_MAY_END = frozenset[str]().union(*(one.abbreviations.may_end for one in _ALL))
_MONTHS = frozenset[str]().union(*(one.months for one in _ALL))
_TIMES = _MONTHS.union(*(one.weekdays for one in _ALL))
_SMALL = frozenset[str]().union(*(one.small_words for one in _ALL))
_SHORT = 4  # letters of a word that may be an abbreviation nobody has listed

_OPENERS = "\"'“‘«‹„‚([{「『（【《¿¡`"
_CLOSERS = "\"'”’»›“)]}」』）】》"
_WIDE_STOPS = "。！？｡．"
_STOP = re.compile(rf"(?:[.!?…؟۔।॥։;]|[{_WIDE_STOPS}])+(?:[{re.escape(_CLOSERS)}]|\[\d{{1,3}}\])*")
_TOKENISED_CLOSER = re.compile(r"[ \t](?:''|’’|”|»|\)|\]|\"|-RRB-)(?=\s|$)")
_WORD_BEFORE = re.compile(r"[^\s(\[{\"'“‘«/–—]+$")
_WORD_AFTER = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?")
_BULLET = re.compile(r"[ \t]*(?:[-*+•·▪‣◦–—○●■□►➢✓][ \t]+)+")
_ENUMERATOR = re.compile(r"[ \t]*(?:\(?\d{1,3}[.)]|\(?[a-zA-Z][.)]|[ivxlIVXL]{1,5}[.)])[ \t]+")
_RULE = re.compile(r"[ \t]*(?:[-=*_~#][ \t]?){3,}[ \t]*")
_BLOCK_START = re.compile(r"[ \t]*(?:#{1,6}[ \t]|\||>|```|~~~|<\w)")
_CLAUSE = re.compile(r"[;:,][ \t\n]|[，、；：]|[ \t\n](?:[–—]|--?)[ \t\n]")
_IDENTIFIER = re.compile(r"[a-z0-9]+_\w|[a-z]+[A-Z]|[a-z]+\(")  # opens a sentence in lower case: pg_dump, useState, main()
_SPACE = re.compile(r"\s")
_LINE = re.compile(r"[^\n\r\f\v\x85\u2028\u2029]*(?:\r\n|[\n\r\f\v\x85\u2028\u2029]|$)")


def sentences(text: str, max_length: int = MAX_LENGTH) -> list[tuple[int, int]]:
    """Split a text into sentences.

    Every character that is neither white space, a list bullet nor a drawn rule (`---`) lies in exactly one span; spans
    are in order, do not overlap, and begin and end with a character that is not white space.

    Args:
        text: Any text: prose, hard-wrapped lines, lists, tokenised text (`a word .`), any script.
        max_length: Longest span in characters; longer ones are cut at clause borders, else at white space.

    Returns:
        Start and end of each sentence, for `text[start:end]`.

    Raises:
        ValueError: `max_length` is below 20.
    """
    if max_length < 20:
        raise ValueError(f"max_length is {max_length}: choose at least 20 characters")
    cased = any(char.isupper() for char in text)
    spans: list[tuple[int, int]] = []
    for start, end in _blocks(text):
        first = len(spans)
        for left, right in _split_block(text, start, end, cased):
            left, right = _strip(text, left, right)
            if left >= right:
                continue
            if len(spans) > first and not any(char.isalnum() for char in text[left:right]):
                spans[-1] = (spans[-1][0], right)  # stray quotes and dots belong to the sentence before them
            else:
                spans.append((left, right))
    return [piece for span in spans for piece in _cut(text, *span, max_length)]


def sentence_texts(text: str, max_length: int = MAX_LENGTH) -> list[str]:
    """Give the sentences themselves; the arguments and errors are those of `sentences`."""
    return [text[start:end] for start, end in sentences(text, max_length)]


# --- line breaks ---------------------------------------------------------------------------------------------------


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Yield runs of lines that are one flow of text: paragraphs, headlines, list items."""
    paragraph: list[tuple[int, int]] = []
    for match in _LINE.finditer(text):
        line = match.group()
        if not line.strip() or _RULE.fullmatch(line.rstrip("\r\n\f\v\x85\u2028\u2029")):
            yield from _paragraph_blocks(text, paragraph)
            paragraph = []
        else:
            paragraph.append(match.span())
    yield from _paragraph_blocks(text, paragraph)


def _paragraph_blocks(text: str, lines: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Split the lines between two blank lines where a line break is a border and not a wrap."""
    if not lines:
        return
    stripped = [text[start:end].strip() for start, end in lines]
    width = max(map(len, stripped))
    # A list of headlines never goes on in lower case; wrapped prose soon does.
    flows = width >= 60 or any(line[0].islower() or not _is_cased(line[0]) for line in stripped[1:])
    start = _after_bullet(text, lines[0])
    for index in range(1, len(lines)):
        if not _is_wrap(stripped[index - 1], stripped[index], width, flows):
            yield start, lines[index - 1][1]
            start = _after_bullet(text, lines[index])
    yield start, lines[-1][1]


def _is_wrap(line: str, following: str, width: int, flows: bool) -> bool:
    """Say whether the break between two neighbouring lines only wraps one sentence.

    In wrapped text a line ends because the next word did not fit any more; a headline or list item ends before that.
    """
    if any(pattern.match(following) for pattern in (_BULLET, _ENUMERATOR, _BLOCK_START)) or _BLOCK_START.match(line):
        return False
    if len(line) > 1 and line[-1] in "-\u00ad\u2010" and line[-2].isalpha() and following[0].isalpha():
        return True
    first_word = following.split(None, 1)[0]
    full = len(line) + 1 + min(len(first_word), 12) > 0.85 * width
    if following[0].islower():
        return full or line[-1] in ",;(" or len(line) >= 0.5 * width >= 20
    return full and flows


def _after_bullet(text: str, line: tuple[int, int]) -> int:
    match = _BULLET.match(text, *line)
    return match.end() if match else line[0]


def _is_cased(char: str) -> bool:
    return not char.isalpha() or char.lower() != char.upper()


# --- full stops ----------------------------------------------------------------------------------------------------


def _split_block(text: str, start: int, end: int, cased: bool) -> Iterator[tuple[int, int]]:
    """Yield raw pieces of one block, cut behind each full stop that ends a sentence."""
    left = counted = start
    quotes = 0
    for match in _STOP.finditer(text, start, end):
        if match.start() < left:
            continue  # already taken as the closing of the sentence before
        quotes += text.count('"', counted, match.start())
        counted = match.start()
        right = _closing(text, match, end, quotes % 2 == 1)
        if _ends_sentence(text, left, match, right, end, cased):
            yield left, right
            left = right
            quotes, counted = 0, right
    yield left, end


def _closing(text: str, match: re.Match[str], end: int, open_quote: bool) -> int:
    """Find where the closing quotes and brackets behind a full stop end; an opening quote stays with what follows."""
    right = match.end()
    stop = match.start()
    if text[right - 1] in "\"'" and right < end and not text[right].isspace() and _is_cased(text[right]):
        return right - 1  # `end."Next`: the quote may as well open; keep the stop alone
    tokenised = stop > 0 and text[stop - 1] in " \t"
    while tokenised and (closer := _TOKENISED_CLOSER.match(text, right, end)):
        if closer.group().strip() == '"' and not open_quote:
            break
        open_quote = False
        right = closer.end()
    return right


def _ends_sentence(text: str, left: int, match: re.Match[str], right: int, end: int, cased: bool) -> bool:
    """Decide whether the full stop (with its closing quotes) ends a sentence."""
    position = right
    while position < end and text[position].isspace():
        position += 1
    if position >= end:
        return True
    stops = match.group().rstrip(_CLOSERS + "0123456789[")
    following = text[position]
    if stops[-1] in _WIDE_STOPS:
        # 「…。」と言った goes on behind the quote.
        return following not in "、，,。）)」』" and not (text[right - 1] in "」』”" and following in "とがのでをは")
    if position == right or set(stops) <= {";"} and not _is_greek(text, match.start()):
        return False  # 3.14, example.com, U.S.; ';' asks a question in Greek only
    ahead = position
    while ahead < end and text[ahead] in _OPENERS:
        ahead += 1
    while ahead < end and text[ahead].isspace():
        ahead += 1  # tokenised text: `` `` Next ``
    if ahead >= end or not (text[ahead].isalnum() or ahead > position or following in "-–—•*@#$€£&<§|+%" or following > "\u2190"):
        return False
    tokenised = match.start() > left and text[match.start() - 1] in " \t"
    if ahead < end and text[ahead].islower():
        return tokenised or not cased or bool(_IDENTIFIER.match(text, ahead, end))
    if stops != ".":
        return True
    return _full_stop_ends(text, left, match.start(), right, ahead, end, tokenised)


def _full_stop_ends(text: str, left: int, dot: int, right: int, ahead: int, end: int, tokenised: bool) -> bool:
    """Decide about one full stop that is followed by a capital, a digit or a letter of a script without capitals."""
    before = _WORD_BEFORE.search(text, max(left, dot - 24), dot - 1 if tokenised else dot)
    if before is None or right > dot + 1:
        return True  # nothing before it, or a closing quote or bracket behind it
    word = before.group()
    name = word.lower()
    match = _WORD_AFTER.match(text, ahead, min(end, ahead + 40))
    after = match.group() if match else ""
    if text[ahead : ahead + 1].isdigit() or text[ahead] in "-–—":
        # A sentence seldom opens with a number, so a short word before one is an abbreviation ("max. 40 kg", "Fri. 9-17"),
        # and so is one in brackets: "(extension. 300)". Two sentences taken for one are whole; half of one is not.
        short = word.isalpha() and len(word) <= _SHORT and name not in _SMALL and word != word.upper()
        if short or name in _BEFORE_NUMBER or name in _TIMES or name in _INSIDE or _in_brackets(text, left, dot):
            return False
        if tokenised and re.fullmatch(r"\d{1,3}", word) and re.fullmatch(r"\d{3}", after):
            return False  # `1 . 197 . 816`
        return not (word.isdigit() and before.start() == left)
    if word.isdigit() and len(word) <= 2:
        return not (
            _opens(text, left, before.start())
            or after.lower() in _MONTHS
            or after in ("Jahrhundert", "Jahrhunderts", "Weltkrieg")
        )
    if name in _INSIDE or name in _BEFORE_NAME:
        return False
    if len(after) == 1 and after.isupper() and after.lower() not in _SMALL and name in _BEFORE_NUMBER:
        return False  # App. B
    initial = len(word) == 1 and word.isalpha() and word.isupper() and _is_latin(word)
    if initial or name in _MAY_END or re.fullmatch(r"(?:[^\W\d_]\.)+[^\W\d_]", word):
        return after.lower() in _SMALL
    return not (len(word) == 1 and word.isalpha() and _opens(text, left, before.start()))


def _opens(text: str, left: int, position: int) -> bool:
    """Say whether nothing stands before a word in its sentence: `1. First item`, `a. First item`."""
    return position - left <= 8 and not text[left:position].strip()  # bounded, or 1 MB of `3. Oktober` takes minutes


def _in_brackets(text: str, left: int, dot: int) -> bool:
    before = text[max(left, dot - 60) : dot]
    return before.rfind("(") > before.rfind(")")


def _is_latin(char: str) -> bool:
    return char < "\u0590"


def _is_greek(text: str, position: int) -> bool:
    before = text[max(0, position - 3) : position].strip()
    return bool(before) and "\u0370" <= before[-1] <= "\u03ff"


# --- trimming ------------------------------------------------------------------------------------------------------


def _strip(text: str, left: int, right: int) -> tuple[int, int]:
    while left < right and text[left].isspace():
        left += 1
    while right > left and text[right - 1].isspace():
        right -= 1
    return left, right


def _cut(text: str, left: int, right: int, max_length: int) -> Iterator[tuple[int, int]]:
    """Cut a span that is too long: at the last clause border of its second half, else at white space, else anywhere."""
    while right - left > max_length:
        half, limit = left + max_length // 2, left + max_length
        borders = [m.end() for m in _CLAUSE.finditer(text, half, limit)]
        borders = borders or [m.end() for m in _SPACE.finditer(text, half, limit)] or [limit]
        stop = borders[-1]
        span = _strip(text, left, stop)
        if span[0] < span[1]:
            yield span
        left, _ = _strip(text, stop, right)
    if left < right:
        yield left, right
