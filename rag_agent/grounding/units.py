"""Units: what may be quoted. Each is one span of a file, whole in meaning, and knows what it stands under.

A unit is a sentence; a list with its introduction; an item; a table row; a code block with the line above it; a `key: value`
line; the answer to a question of an FAQ. Headings, questions, introductions and furniture are what units stand under, and are
never units themselves.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from rag_agent.documents.blocks import Block
from rag_agent.documents.outline import ASKS, Outline
from rag_agent.documents.shown import shown
from rag_agent.language import detect, language, sentences, words

__all__ = ["Unit", "is_title", "units"]

UnitKind = Literal["sentence", "list", "item", "row", "code", "pair", "answer"]

LONGEST_LIST = 1500
"""Characters up to which a list is shown whole."""
LONGEST_CODE = 1000
"""Characters up to which a block of code is one unit."""
LEAST_CODE = 60
"""Characters of a piece of a longer block at least."""
LONGEST_ANSWER = 500
"""Characters up to which an item, or the answer to a question, is one unit; a longer one is quoted by its sentences."""

_LINE = 150  # characters of a heading or question that are told with what stands under it
_TITLE_WORDS, _TITLE_LENGTH = 8, 80
_QUOTED = re.compile(r"^[ \t]*(?:>[ \t]?)+", re.MULTILINE)
_WINDOW = 1500  # characters around the spans in which sentences are told apart: holds the two longest there are


@dataclass(frozen=True)
class Unit:
    """A span that may be quoted: the file's text from `start` to `end` is `quote`."""

    kind: UnitKind
    start: int
    end: int
    quote: str
    text: str
    """What is shown: the quote without the marks of its format, and with the names of a row's columns."""
    context: tuple[str, ...]
    """What it stands under, clean: title, headings, the question it answers, its introduction; the widest first."""
    before: str = ""
    """The sentence right before it in the same paragraph."""
    after: str = ""
    """The sentence right behind it in the same paragraph."""

    @cached_property
    def under(self) -> str:
        """What it stands under, as one line."""
        return " — ".join(self.context)


def units(outline: Outline, spans: Sequence[tuple[int, int]], suffix: str = ".txt") -> list[Unit]:
    """The units that some spans of a text touch, in reading order; `suffix` is its file's, and tells how it is shown.

    Where a span ends behind a heading, a question or an introduction, the block that follows belongs to it.
    """
    touched: set[int] = set()
    announced: set[int] = set()
    for start, end in spans:
        numbers = outline.touching(start, end)
        touched |= set(numbers)
        announced |= set(_following(outline, numbers))
    making = _Units(outline, suffix, spans)
    found: dict[tuple[int, int], Unit] = {}
    for number in sorted(touched | announced):
        for unit in making.of(number):
            # Of a paragraph that goes on outside the spans, only what they touch.
            if number in announced or any(unit.start < end and start < unit.end for start, end in spans):
                found.setdefault((unit.start, unit.end), unit)
    return sorted(found.values(), key=lambda unit: (unit.start, -unit.end))


def is_title(unit: Unit) -> bool:
    """Whether a sentence is a title run into the text: a short first one of a paragraph, with capitals in most of its words."""
    return unit.kind == "sentence" and not unit.before and bool(unit.after) and _names(unit.text)


def _names(sentence: str) -> bool:
    words = sentence.split()
    long = [word for word in words if len(word) > 3 and word[0].isalpha()] or words
    capitals = sum(word[0].isupper() for word in long)
    return len(sentence) <= _TITLE_LENGTH and len(words) <= _TITLE_WORDS and 2 * capitals >= len(long)


def _leans_back(sentence: str) -> bool:
    """Whether a sentence begins with a pronoun: what it speaks of stands in the one before."""
    known = language(detect(sentence)) or language("en")
    first = next(iter(words(sentence)), "")
    return known is not None and first in known.pronouns


def _following(outline: Outline, numbers: range) -> Iterator[int]:
    """The next blocks, as long as what came last only announces them."""
    number = numbers.stop - 1
    announced = number >= 0 and _announces(outline, number)
    while announced and number < len(outline.blocks) - 1:
        number += 1
        yield number
        if outline.blocks[number].kind == "furniture":
            continue
        announced = _announces(outline, number)
        if outline.blocks[number].kind in ("list", "table"):
            holder = outline.blocks[number]
            while number + 1 < len(outline.blocks) and outline.blocks[number + 1].start < holder.end:
                number += 1
                yield number


def _announces(outline: Outline, number: int) -> bool:
    kind = outline.blocks[number].kind
    asked = number + 1 < len(outline.places) and outline.places[number + 1].question == number
    return kind in ("heading", "question", "names") or asked or (kind == "paragraph" and outline.introduces(number))


class _Units:
    """Makes the units of a block."""

    def __init__(self, outline: Outline, suffix: str, spans: Sequence[tuple[int, int]]) -> None:
        self._outline, self._suffix = outline, suffix
        self._reach = (
            min((start for start, _ in spans), default=0) - _WINDOW,
            max((end for _, end in spans), default=0) + _WINDOW,
        )
        self._text = outline.reading.text
        self._titles: dict[int, str] = {}

    def of(self, number: int) -> Iterator[Unit]:
        block, place = self._outline.blocks[number], self._outline.places[number]
        if block.kind == "list":
            yield from self._list(number)
        elif block.kind in ("item", "answer"):
            yield from self._whole_or_sentences(number)
        elif block.kind == "code":
            yield from self._code(number)
        elif block.kind in ("row", "pair"):
            yield self._unit(block.kind, number, block.start, block.end)
        elif block.kind in ("paragraph", "quotation") and not self._inside_whole(place.parent):
            yield from self._sentences(number)

    def _inside_whole(self, parent: int) -> bool:
        """Whether a paragraph is already said by the item or answer that holds it."""
        if parent < 0:
            return False
        holder = self._outline.blocks[parent]
        return holder.kind in ("item", "answer", "row") or (holder.kind == "quotation")

    def _list(self, number: int) -> Iterator[Unit]:
        block, place = self._outline.blocks[number], self._outline.places[number]
        introduction = place.above if self._outline.introduces(place.above) else -1
        start = self._last_sentence(introduction)[0] if introduction >= 0 else block.start
        if block.end - start <= LONGEST_LIST and place.parent < 0:
            yield self._unit("list", number, start, block.end, introduced=introduction >= 0)

    def _code(self, number: int) -> Iterator[Unit]:
        """A block of code with the sentence above it; a long one piece by piece, as its empty lines part it."""
        block, place = self._outline.blocks[number], self._outline.places[number]
        if block.end - block.start <= LONGEST_CODE:
            above = place.above >= 0
            start = self._last_sentence(place.above)[0] if above else block.start
            yield self._unit("code", number, start, block.end, introduced=above)
            return
        start = reached = block.start
        for found in re.finditer(r"[^\n](?:[^\n]|\n(?![ \t]*\n))*", self._text[block.start : block.end]):
            end = block.start + found.end()
            if reached - start >= LEAST_CODE:
                yield self._unit("code", number, *self._trimmed(start, reached))
                start = block.start + found.start()
            reached = end
        yield self._unit("code", number, *self._trimmed(start, reached))

    def _trimmed(self, start: int, end: int) -> tuple[int, int]:
        text = self._text[start:end]
        return start + len(text) - len(text.lstrip()), start + len(text.rstrip())

    def _whole_or_sentences(self, number: int) -> Iterator[Unit]:
        block = self._outline.blocks[number]
        if block.end - block.start <= LONGEST_ANSWER:
            yield self._unit("item" if block.kind == "item" else "answer", number, block.start, block.end)
        else:
            yield from self._sentences(number)

    def _sentences(self, number: int) -> Iterator[Unit]:
        block = self._outline.blocks[number]
        place = self._outline.places[number]
        if self._outline.places[number + 1 : number + 2] and self._outline.places[number + 1].question == number:
            return  # it asks; what stands under it answers
        first, last = max(block.start, self._reach[0]), min(block.end, self._reach[1])  # a book may be one paragraph
        text = self._text[first:last]
        if block.kind == "quotation":  # the mark before each of its lines ends no sentence
            text = _QUOTED.sub(lambda mark: " " * len(mark.group()), text)
        spans = [(first + start, first + end) for start, end in sentences(text)]
        texts = [self._shown(block, *span) for span in spans]
        introduces = self._outline.introduces(number) and self._introduces_block(number)
        whole = place.question >= 0 and block.end - block.start <= LONGEST_ANSWER
        if whole and len(spans) > 1 and not introduces:
            yield self._unit("answer", number, block.start, block.end)
        for at, span in enumerate(spans):
            if introduces and at == len(spans) - 1 or not any(map(str.isalnum, texts[at])) or ASKS.search(texts[at]):
                continue
            before = texts[at - 1] if at else ""
            after = texts[at + 1] if at + 1 < len(texts) else ""
            yield self._unit("sentence", number, *span, before=before, after=after, leaning=_leans_back(texts[at]))

    def _introduces_block(self, number: int) -> bool:
        following = (block.kind for block in self._outline.blocks[number + 1 :] if block.kind != "furniture")
        return next(following, "") in ("list", "table", "code", "pair", "quotation")

    def _unit(
        self, kind: UnitKind, number: int, start: int, end: int, *, introduced: bool = False, before: str = "", after: str = "",
        leaning: bool = False,
    ) -> Unit:  # fmt: skip
        block = self._outline.blocks[number]
        context = self._context(number, introduced=introduced)
        if leaning and before:
            context = (*context, before)
        text = self._shown(block, block.start if introduced else start, end)
        context = tuple(line for line in context if line != text)
        if introduced:
            above = self._outline.blocks[self._outline.places[number].above]
            text = f"{self._shown(above, start, above.end)}\n{text}"
        return Unit(kind, start, end, self._text[start:end], text, context, before, after)

    def _context(self, number: int, *, introduced: bool) -> tuple[str, ...]:
        """Title, headings, question and introduction, each once; `introduced`: the introduction is part of the unit."""
        outline, place = self._outline, self._outline.places[number]
        top = number
        while outline.places[top].parent >= 0:
            top = outline.places[top].parent
        above = [*place.headings, outline.places[top].question]
        # An item of a nested list stands under the item that holds the list.
        holder = place.parent
        while holder >= 0:
            up = outline.places[holder].parent
            if outline.blocks[holder].kind == "item":
                above.append(holder)
            holder = up
        lines = [outline.reading.title, self._run_in(number)]
        lines += [self._first_line(n) for n in above if n >= 0]
        if not introduced and place.above >= 0 and outline.introduces(place.above):
            lines.append(self._shown(outline.blocks[place.above], *self._last_sentence(place.above)))
        if outline.blocks[number].kind == "pair":
            lines.append(self._record(number))
        return tuple(dict.fromkeys(line for line in lines if line))

    def _run_in(self, number: int) -> str:
        """The title that is run into the first paragraph of the article that a block stands in."""
        sections = self._outline.reading.sections or ()
        at = bisect_right(sections, self._outline.blocks[number].start, key=lambda section: section.start) - 1
        if at not in self._titles:
            start, end = (sections[at].start, sections[at].end) if at >= 0 else (0, len(self._text))
            self._titles[at] = ""
            place = bisect_left(self._outline.blocks, start, key=lambda block: block.start)
            first = self._outline.blocks[place]
            if first.kind == "paragraph" and first.end <= end:
                text = self._text[first.start : min(first.end, first.start + _WINDOW)]
                spans = sentences(text)
                if len(spans) > 1 and _names(said := text[slice(*spans[0])]):
                    self._titles[at] = said
        return self._titles[at]

    def _record(self, number: int) -> str:
        """The first of the `key: value` lines that a pair stands among: it often names what the rest is about."""
        first = number
        blocks = self._outline.blocks
        while (
            first > 0
            and blocks[first - 1].kind == "pair"
            and "\n\n" not in self._text[blocks[first - 1].end : blocks[first].start]
        ):
            first -= 1
        return self._shown(blocks[first], blocks[first].start, blocks[first].end) if first != number else ""

    def _first_line(self, number: int) -> str:
        block, end = self._outline.blocks[number], self._outline.blocks[number].end
        if block.kind == "item":  # without the list that it holds
            end = next((b.start for b in self._outline.blocks[number + 1 :] if b.kind == "list" or b.start >= end), end)
        return self._shown(block, block.start, min(end, block.end))[:_LINE]

    def _last_sentence(self, number: int) -> tuple[int, int]:
        block = self._outline.blocks[number]
        spans = sentences(self._text[block.start : block.end])
        start, end = spans[-1] if spans else (0, block.end - block.start)
        return block.start + start, block.start + end

    def _shown(self, block: Block, start: int, end: int) -> str:
        return shown(self._text, block._replace(start=start, end=end), self._suffix)
