"""Formats whose text is the file's own text: what tells their structure, by suffix."""

from importlib import import_module
from typing import NamedTuple

from rag_agent.documents.blocks import Block, Section
from rag_agent.documents.reading import Reading


class Structure(NamedTuple):
    """What a text is made of; every span indexes it."""

    blocks: tuple[Block, ...]
    """In reading order, a block before those inside it."""
    sections: tuple[Section, ...]
    """Its articles, without the white space around them; empty ones do not count."""
    title: str = ""
    """What the text calls itself, if it does."""


_CODE = (
    ".asm .awk .bash .bat .bib .c .cc .clj .cmake .cmd .conf .cpp .cs .css .cxx .dart .diff .dockerfile .el .erl .ex .exs .f90 "
    ".fish .fs .go .gradle .graphql .groovy .h .hcl .hh .hpp .hs .jav .java .jl .js .jsx .kt .kts .less .lisp .lua .m .make .mjs "
    ".mk .ml .nix .nim .pas .patch .php .pl .pm .properties .proto .ps1 .py .pyi .r .rb .rs .sass .scala .scm .scss .sh .sol "
    ".sql .svelte .swift .tcl .tex .tf .toml .ts .tsx .v .vb .vhdl .vue .yaml .yml .zig .zsh .ini .cfg"
).split()
"""Source code and settings, as people keep them beside their documents."""

TEXTS: dict[str, str] = {
    ".txt": "plain",
    ".text": "plain",
    ".log": "plain",
    ".md": "markdown",
    ".markdown": "markdown",
    ".rst": "plain",
    ".org": "plain",
    **dict.fromkeys(_CODE, "plain"),
}
"""By suffix, the module of this room whose function `structure` finds the blocks of a text."""


def structure(suffix: str, text: str) -> Structure:
    """The structure of a file's text; `suffix` is one of `TEXTS`."""
    found: Structure = import_module(f"rag_agent.documents.{TEXTS[suffix]}").structure(text)
    return found


def plain_reading(text: str) -> Reading:
    """A plain text that is in no file."""
    found = structure(".txt", text)
    return Reading(text, "", found.sections, found.blocks, found.title)
