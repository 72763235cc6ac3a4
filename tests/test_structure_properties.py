"""What holds of the structure of any text, of whatever format."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_agent.documents import article_spans
from rag_agent.documents.shown import shown
from rag_agent.documents.structures import TEXTS, Structure, structure

PIECES = [
    "- ", "* ", "1. ", "2) ", "a) ", "  ", "    ", "\t", "> ", "# ", "## ", "---", "===", "-----\n", "```", "~~~", "```sh\n", "| ", "|", "|---|---|",
    "a | b", "**", "*", "_", "`", "[", "]", "(#x)", "[x]: y", "[^1]: ", "![a](b)", "<b>", "</b>", "<!--", "-->", "<div hidden>", "<table>", "<tr><td>",
    "<li>", "&amp;", "\\", "Q: ", "A: ", "Why?", "key: value", "title: x", "Word", "words go on", "END", "It ends.", "4.2 ", "\n", "\n", "\n\n", "\r\n",
    "\r", "\ufeff", "\u2028", "\xa0", "\0", "é", "月", "+---+", ".. note:: ", ".. code::\n", "::", ":a: b", "#+BEGIN_SRC\n", "#+END_SRC", "\\item ",
    "\\begin{verbatim}", "\\section{A}", '"""', "/*", "*/", "// ", "[a]", "a = b", "a:", "def f():", "!!! note\n", ":::", "+++\n", ": ", "\f", "\x1f",
]  # fmt: skip
TEXT = st.lists(st.sampled_from(PIECES), max_size=40).map("".join) | st.text(max_size=80)
SUFFIXES = [".md", ".txt", ".rst", ".org", ".tex", ".py", ".c", ".sql", ".yaml", ".log", ".bat"]


def check(text: str, found: Structure, suffix: str) -> None:
    open_ends: list[int] = []
    last = -1
    for block in found.blocks:
        said = text[block.start : block.end]
        assert said and said == said.strip(), (block, said)
        assert block.start >= last, "blocks are in reading order"
        last = block.start
        while open_ends and open_ends[-1] <= block.start:
            open_ends.pop()
        assert not open_ends or block.end <= open_ends[-1], "blocks nest or are disjoint"
        open_ends.append(block.end)
        assert isinstance(shown(text, block, suffix), str)
    covered = {at for block in found.blocks for at in range(block.start, block.end)}
    assert [
        at for at, character in enumerate(text) if not character.isspace() and at not in covered and character != "\ufeff"
    ] == []
    sections = [(section.start, section.end) for section in found.sections]
    assert sections == sorted(sections)
    assert all(text[start:end].strip() for start, end in sections)


@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(deadline=None, max_examples=60)
@given(text=TEXT)
def test_blocks_are_in_order_nested_trimmed_and_cover_the_text(suffix: str, text: str) -> None:
    check(text, structure(suffix, text), suffix)


@settings(deadline=None, max_examples=60)
@given(text=TEXT)
def test_articles_of_a_text_are_those_of_its_structure(text: str) -> None:
    for suffix, markdown in ((".txt", False), (".md", True)):
        assert [(s.start, s.end) for s in structure(suffix, text).sections] == article_spans(text, markdown=markdown)


@settings(deadline=None, max_examples=60)
@given(
    lines=st.lists(
        st.sampled_from(["a b c", "# head", "- item", "  more", "", "k: v", "Q: a?", "A: b", "| x | y |", "1. one"]), max_size=12
    )
)
def test_line_ends_make_no_difference(lines: list[str]) -> None:
    for suffix in (".md", ".txt"):
        unix, windows = "\n".join(lines), "\r\n".join(lines)
        shapes = [
            [(b.kind, b.level, " ".join(t[b.start : b.end].split())) for b in structure(suffix, t).blocks]
            for t in (unix, windows)
        ]
        assert shapes[0] == shapes[1]


NASTY = {
    "quotes": ">", "spaced quotes": "> ", "bullets": "- ", "items": "- a\n", "numbers": "1. a\n", "brackets": "[", "bars": "|", "rows": "|a|b\n",
    "ticks": "`", "fences": "```a\n", "stars": "*", "underscores": "_", "tags": "<a", "comments": "<!-- ", "divs": "<div>\n\n", "notes": "[^1]: a\n\n",
    "references": "[a]: b\n", "terms": "a\n: b\n\n", "colons": "a:", "questions": "Q: a?\n", "answers": "Q: a?\nA: b\n", "asks": "a?\n\n", "bold": "**a?**\n\n",
    "spaces": "  ", "columns": "a  b  c\n", "tabs": "\ta\tb\n", "underlined": "a\n=\n", "rules": "---\n", "capitals": "A\n", "pairs": "a: b\n",
    "org": "#+BEGIN_SRC\n", "tex": "\\begin{verbatim}\n", "docstrings": '"""\n', "comment": "/*\n", "directives": ".. a::\n\n", "returns": "\r",
    "hard spaces": "\xa0\n", "letters": "a. b\n", "cells": "<tr><td>a",
}  # fmt: skip


OWN = ("org", "tex", "docstrings", "comment", "directives", "returns", "hard spaces", "pairs")
"""What formats with marks of their own look for."""


@pytest.mark.parametrize("name", NASTY)
def test_time_grows_with_length_alone(name: str) -> None:
    def seconds(suffix: str, size: int) -> float:
        text = NASTY[name] * (size // len(NASTY[name]))
        began = time.process_time()
        structure(suffix, text)
        return time.process_time() - began

    own = (".rst", ".org", ".tex", ".py", ".c", ".yaml") if name in OWN else ()
    for suffix in (".md", ".txt", *own):
        small = seconds(suffix, 10_000)
        large = seconds(suffix, 40_000)
        assert large < 8 * small + 0.5, (suffix, small, large)


def test_deep_nesting_is_read() -> None:
    for text in ("> " * 2000 + "a", "\n".join(f"{'  ' * depth}- a" for depth in range(300)), "[" * 20_000):
        for suffix in (".md", ".txt"):
            check(text, structure(suffix, text), suffix)


def test_every_suffix_has_its_function() -> None:
    for suffix in TEXTS:
        check("# a\n\nx = 1\n", structure(suffix, "# a\n\nx = 1\n"), suffix)
