"""Documents that other people made: the test data of packages, which scripts/get_test_files.py fetches."""

import gzip
import os
from pathlib import Path

import pytest

from rag_agent.documents import Unreadable
from rag_agent.documents.formats import FORMATS, extract

FILES = Path(os.environ.get("RAG_AGENT_TEST_FILES") or Path.home() / ".cache" / "rag-agent-test" / "files")
MANUALS = {
    "/usr/share/doc/bzip2/manual.pdf.gz": "bzip2 expects a list of file names to accompany the command-line flags.",
    "/usr/share/doc/shared-mime-info/shared-mime-info-spec.pdf": (
        "This specification attempts to unify the MIME database systems currently in use"
    ),
}
SAID = {
    "blk-paras-and-tables.docx": "paragraph: Donec semper facilisis metus finibus malesuada.",
    "hdr-header-footer.docx": "paragraph: Footer for section 1",
    "par-known-paragraphs.docx": "heading: Heading Paragraph",
    "simplelist.odt": "item: - Item B",
    "twolevellist.odt": "item: - Subitem B.1",
    "simpletable.odt": "Cell 3 (bold): Cell 4 (italic)",
    "ol.odp": "item: 3. Finf",
    "pythagoras.ods": "heading: Sheet1",
    "multipage.pdf": "paragraph: Page 3",
    "toc.pdf": "heading: 1.2.2 One-B-II",
    "forms.pdf": "pair: Listbox_MultiSelect: Banana",
    "shp-shapes.pptx": "paragraph: Smart Art",
    "tbl-cell.pptx": "row: a: d; b: e; c: f",
}


def found(name: str) -> Path:
    path = next(iter(sorted(FILES.rglob(name))), None)
    if path is None:
        pytest.skip(f"no {name} in {FILES}: run scripts/get_test_files.py")
    return path


@pytest.mark.parametrize("name", SAID)
def test_a_document_of_other_makers_says_what_it_shows(name: str) -> None:
    reading = extract(Path(name).suffix, found(name).read_bytes())
    said = "\n".join(f"{block.kind}: {reading.text[block.start : block.end]}" for block in reading.blocks)
    assert SAID[name] in said


def test_every_document_of_other_makers_is_read_or_says_why_not() -> None:
    paths = [path for path in sorted(FILES.rglob("*")) if path.suffix in FORMATS]
    if not paths:
        pytest.skip(f"no documents in {FILES}: run scripts/get_test_files.py")
    refused = {}
    for path in paths:
        try:
            reading = extract(path.suffix, path.read_bytes())
        except Unreadable as reason:
            refused[path.name] = str(reason)
            continue
        assert all(reading.text[block.start : block.end].strip() for block in reading.blocks)
    # Those that hold no text (blank templates, charts, pictures) and one that is protected; nothing that a parser fell over.
    assert all(reason.startswith(("no text in it", "protected", "empty")) for reason in refused.values()), refused
    assert len(refused) < len(paths) / 2


@pytest.mark.parametrize("name", MANUALS)
def test_a_manual_is_read_in_whole_sentences(name: str) -> None:
    path = Path(name)
    if not path.exists():
        pytest.skip(f"{path} is not installed")
    data = path.read_bytes()
    reading = extract(".pdf", gzip.decompress(data) if path.suffix == ".gz" else data)
    assert MANUALS[name] in reading.text
    long = [text for b in reading.blocks if b.kind == "paragraph" and len(text := reading.text[b.start : b.end]) > 60]
    assert sum(text.endswith((".", ":", "?", ")", '"')) for text in long) > 0.8 * len(long)
