"""Questions, and what answers them: the blocks that follow."""

import re
from collections.abc import Sequence

from rag_agent.documents.blocks import Block
from rag_agent.documents.paragraphs import asks


def answered(text: str, blocks: Sequence[Block], breaks: Sequence[tuple[int, int]] = ()) -> list[Block]:
    """With what follows a question as its answer, and lines that ask as questions where there are several of them.

    Args:
        text: The whole text.
        blocks: Its blocks in reading order.
        breaks: What parts its articles: no answer reaches over.
    """
    found = list(blocks)
    asking = [place for place in range(len(found)) if _asks_alone(text, found, place)]
    for place in asking if len(asking) > 1 else ():
        found[place] = found[place]._replace(kind="question", level=0)
    result: list[Block] = []
    waiting = -1  # the place behind a question
    ends = iter([*(start for start, _ in breaks), len(text)])
    end = next(ends)
    for block in [*found, Block("heading", len(text), len(text))]:
        parted = block.start >= end
        while block.start >= end:
            end = next(ends, len(text) + 1)
        if waiting >= 0 and (parted or block.kind in ("heading", "question")):
            result[waiting:] = _wrapped(text, result[waiting:], more=block.kind == "question" and not parted)
            waiting = -1
        result.append(block)
        if block.kind == "question":
            waiting = len(result)
    return result[:-1]


def _asks_alone(text: str, blocks: Sequence[Block], place: int) -> bool:
    """Whether a block is one question, with something behind it that can answer."""
    block = blocks[place]
    if block.kind not in ("paragraph", "heading") or block.end - block.start > 200 or place + 1 == len(blocks):
        return False
    said = text[block.start : block.end]
    behind = blocks[place + 1]
    return (
        asks(said) and said.count("?") <= 1 and not re.search(r"[.!]\s", said) and behind.start >= block.end
        and behind.kind in ("paragraph", "list", "pair", "code", "table", "quotation")
    )  # fmt: skip


def _wrapped(text: str, blocks: list[Block], *, more: bool) -> list[Block]:
    """What stands behind a question, its answer marked; all of it where another question follows (`more`)."""
    top: list[Block] = []
    for block in blocks:
        if block.kind != "furniture" and (not top or block.start >= top[-1].end):
            top.append(block)
    if not top or top[0].kind == "heading":
        return blocks
    taken = 1
    if more:
        taken = len(top)
    if taken < len(top) and top[taken].kind in ("list", "code", "table") and text[top[taken - 1].end - 1] == ":":
        taken += 1
    first, last = top[0], top[taken - 1]
    if first is last and first.kind in ("paragraph", "answer"):
        return [block._replace(kind="answer") if block is first else block for block in blocks]
    at = blocks.index(first)
    inner = [block._replace(kind="paragraph") if block.kind == "answer" else block for block in blocks[at:]]
    return [*blocks[:at], Block("answer", first.start, last.end), *inner]
