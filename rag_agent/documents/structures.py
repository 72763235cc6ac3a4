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


_FAMILIES = {
    "source:hashes": (
        ".awk .bash .cmake .ex .exs .fish .gradle .graphql .jl .mk .nim .nix .pl .pm .ps1 .py .pyi .r .rb .sh .tcl .tf .zsh"
    ),
    "source:slashes": (
        ".c .cc .cpp .cs .css .cxx .dart .fs .go .groovy .h .hh .hpp .java .js .jsx .kt .kts .less .m .mjs .php .proto .rs .sass "
        ".scala .scss .sol .svelte .swift .ts .tsx .v .vue .zig"
    ),
    "source:dashes": ".ada .elm .hs .lua .sql .vhdl",
    "source:semicolons": ".asm .clj .el .lisp .scm",
    "source:percents": ".erl",
    "source:bare": ".bat .cmd .diff .f90 .ml .pas .patch .vb",
    "source:settings": ".cfg .conf .ini .properties .toml .yaml .yml",
    "source:logs": ".log",
    "plain:structure": ".txt .text",
    "lightweight:rst": ".rst",
    "lightweight:org": ".org",
    "latex:structure": ".tex",
    "markdown:structure": ".md .markdown",
}
TEXTS: dict[str, str] = {suffix: where for where, suffixes in _FAMILIES.items() for suffix in suffixes.split()}
"""By suffix, the module of this room and its function that finds the blocks of a text."""


def structure(suffix: str, text: str) -> Structure:
    """The structure of a file's text; `suffix` is one of `TEXTS`."""
    module, _, name = TEXTS[suffix].partition(":")
    found: Structure = getattr(import_module(f"rag_agent.documents.{module}"), name)(text)
    return found


def plain_reading(text: str) -> Reading:
    """A plain text that is in no file."""
    found = structure(".txt", text)
    return Reading(text, "", found.sections, found.blocks, found.title)
