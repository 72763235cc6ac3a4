"""Files that are no plain text: made by other tools, read, cited; and files that nobody should trust."""

import csv
import io
import json
import os
import random
import sys
import time
import zipfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import docx
import openpyxl
import pytest
from fpdf import FPDF

from rag_agent import RagAgent, Settings
from rag_agent.documents import Reader, Unreadable, isolation, load_chunks, reading
from rag_agent.documents.formats import FORMATS, extract
from rag_agent.testing import CountEmbeddings, ScriptedChat

MOON = "Neil Armstrong and Edwin Aldrin landed on the Moon."
ORBIT = "Michael Collins stayed in orbit, as Zoë said."
WATER = "The plant at Balashi makes 8,000 tons of water a day."


def pdf(path: Path) -> None:
    made = FPDF()
    made.set_font("Helvetica", size=12)
    for text in (MOON, "", ORBIT, WATER):
        made.add_page()
        if text:
            made.multi_cell(0, 8, text)
    made.output(str(path))


def word(path: Path) -> None:
    made = docx.Document()
    made.add_heading("The Moon", 1)
    made.add_paragraph(MOON)
    table = made.add_table(rows=2, cols=2)
    for cell, text in zip((c for row in table.rows for c in row.cells), ("Who", "Where", "Collins", ORBIT), strict=True):
        cell.text = text
    made.add_paragraph(WATER)
    made.save(str(path))


def excel(path: Path) -> None:
    made = openpyxl.Workbook()
    made.active.title = "Crew"
    for row in (["Who", "What", "Born"], ["Armstrong", MOON, 1930], ["Collins", ORBIT, None]):
        made.active.append(row)
    made.create_sheet("Plants").append([WATER, 8000])
    made.create_sheet("Nothing")
    made.save(path)


def table(path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=";").writerows([["Who", "What"], ["Armstrong", MOON], ["Collins", ORBIT], ["", WATER]])


def page(path: Path) -> None:
    path.write_text(
        "<!doctype html><html><head><title>The Moon</title><style>p{color:red}</style><script>if (a < b) hidden()</script></head>"
        f"<body><h1>Landing</h1><p>{MOON.replace('Neil', '<b>Neil</b>')}</p><pre>  kept\n  lines</pre><br>"
        f"<table><tr><td>Who</td><td>{ORBIT.replace('ë', '&euml;')}</td></tr></table><ul><li>{WATER}<li>last</ul></body></html>",
        encoding="utf-8",
    )


def records(path: Path) -> None:
    path.write_text(
        json.dumps([{"text": MOON, "by": {"name": "NASA", "years": [1969, 1970]}}, {"text": f"{ORBIT} {WATER}"}]),
        encoding="utf-8",
    )


def lines(path: Path) -> None:
    path.write_text("\n".join(json.dumps({"text": text}) for text in (MOON, ORBIT, WATER)) + "\n", encoding="utf-8")


MAKERS: dict[str, Callable[[Path], None]] = {
    ".pdf": pdf, ".docx": word, ".xlsx": excel, ".csv": table, ".html": page, ".json": records, ".jsonl": lines,
}  # fmt: skip
# Other names of the same formats; what reads .xls looks at the bytes.
LIKE = {".htm": ".html", ".docm": ".docx", ".xlsm": ".xlsx", ".xls": ".xlsx", ".xlsb": ".xlsx"}


def agent(docs: Path, words: Sequence[str] = ("moon", "orbit", "water")) -> RagAgent:
    return RagAgent(docs, model=ScriptedChat(lambda messages: ORBIT), embeddings=CountEmbeddings(words), home=":memory:")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    return tmp_path / "files"


# --- real files ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", MAKERS)
def test_a_file_is_found_and_cited(folder: Path, suffix: str) -> None:
    MAKERS[suffix](folder / f"file{suffix}")
    with agent(folder) as asked:
        assert asked.index().skipped == ()
        for query, sentence in (("Who landed on the Moon?", MOON), ("orbit", ORBIT), ("tons of water", WATER)):
            hits = asked.search(query, k=20)
            holding = [hit for hit in hits if sentence in " ".join(hit.text.split())]
            assert holding
            for hit in hits:
                assert asked.read(hit.file)[hit.start : hit.end] == hit.text
    assert {sentence in " ".join(doc.page_content for doc in load_chunks(folder)) for sentence in (MOON, ORBIT, WATER)} == {True}


@pytest.mark.parametrize("suffix", [".html", ".csv", ".docx", ".pdf"])
def test_an_answer_is_stale_once_its_file_says_something_else(folder: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    file = folder / f"file{suffix}"
    MAKERS[suffix](file)
    (folder / f"link{suffix}").symlink_to(file)
    with agent(folder) as asked:
        cited = {citation.file for citation in asked.ask("Who stayed in orbit?", thread_id="t").citations}
        assert cited
        MAKERS[suffix](file)  # of another date, and in some formats of other bytes, but it says the same
        assert asked.threads.stale() == []
        monkeypatch.setattr(sys.modules[__name__], "ORBIT", "Michael Collins walked on the Moon, as Zoë said.")
        MAKERS[suffix](file)
        [stale] = asked.threads.stale("t")
        assert stale.files == dict.fromkeys(cited, "changed")
        file.unlink()
        assert asked.threads.stale("t")[0].files == dict.fromkeys(cited, "gone")


def test_an_answer_whose_file_cannot_be_read_any_more_is_stale(folder: Path) -> None:
    word(folder / "file.docx")
    with agent(folder) as asked:
        asked.ask("Who stayed in orbit?", thread_id="t")
        (folder / "file.docx").write_bytes(b"\0 damaged")
        assert asked.threads.stale("t")[0].files == {"file.docx": "changed"}


def test_a_pdf_is_cited_by_page(folder: Path) -> None:
    pdf(folder / "file.pdf")
    with agent(folder) as asked:
        pages = {hit.text: hit.page for hit in asked.search("moon orbit water", k=10)}
        assert pages == {MOON: 1, ORBIT: 3, WATER: 4}
        answer = asked.ask("Who stayed in orbit?")
        assert answer.citations, answer
        for citation in answer.citations:
            assert asked.read(citation.file)[citation.start : citation.end] == citation.quote
            assert citation.page == pages[next(text for text in pages if citation.quote in text)]
    assert [doc.metadata["page"] for doc in load_chunks(folder)] == [1, 3, 4]


def test_pages_outlive_the_process(folder: Path, tmp_path: Path) -> None:
    pdf(folder / "file.pdf")
    settings = Settings.load(home=tmp_path / "kept")
    for _ in range(2):
        embeddings = CountEmbeddings(["orbit"])
        with RagAgent(folder, model=ScriptedChat([]), embeddings=embeddings, settings=settings) as asked:
            assert asked.search("orbit")[0].page == 3
    assert embeddings.documents == []


def test_each_row_of_a_table_names_its_columns(folder: Path) -> None:
    excel(folder / "a.xlsx")
    text = extract(".xlsx", (folder / "a.xlsx").read_bytes()).text
    assert text == (
        f"Crew\n\nWho | What | Born\nWho: Armstrong; What: {MOON}; Born: 1930\nWho: Collins; What: {ORBIT}"
        f"\n\nPlants\n\n{WATER} | 8000"
    )


@pytest.mark.parametrize(
    "record", [{"question": "Who?", "answers": ["x"], "file": "a.txt"}, {"turns": [{"question": "Who?"}]}, {"question": "Who?"}]
)
def test_questions_of_an_evaluation_are_no_document(folder: Path, record: object) -> None:
    (folder / "questions.jsonl").write_text(json.dumps(record) + "\n")
    (folder / "faq.jsonl").write_text(json.dumps({"question": "Who?", "answer": MOON}) + "\n")
    with agent(folder) as asked:
        report = asked.index()
    assert (report.added, report.skipped) == (
        ("faq.jsonl",), (("questions.jsonl", "questions for an evaluation, not a document"),),
    )  # fmt: skip


@pytest.mark.parametrize(("suffix", "module"), [(".pdf", "pypdfium2"), (".docx", "lxml"), (".xlsx", "openpyxl")])
def test_a_missing_package_is_named(folder: Path, suffix: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    MAKERS[suffix](folder / f"a{suffix}")
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(Unreadable, match=r"pip install 'rag-agent\[formats\]'"):
        extract(suffix, (folder / f"a{suffix}").read_bytes())


# --- hostile files ------------------------------------------------------------------------------------------------------


def bomb(name: str) -> bytes:
    """A quarter of a megabyte that says it unpacks to 256, and does."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(name, "w", force_zip64=True) as file:
        for _ in range(256):
            file.write(bytes(1024 * 1024))
    return out.getvalue()


@pytest.mark.parametrize(("suffix", "name"), [(".docx", "word/document.xml"), (".xlsx", "xl/worksheets/sheet1.xml")])
def test_a_zip_bomb_is_not_unpacked(suffix: str, name: str) -> None:
    data = bomb(name)
    began = time.process_time()
    with pytest.raises(Unreadable, match="unpacks to 256 MiB"):
        extract(suffix, data)
    assert time.process_time() - began < 0.5


def entities() -> bytes:
    """A word file whose XML doubles itself forty times."""
    out = io.BytesIO()
    word_file = io.BytesIO()
    docx.Document().save(word_file)
    doubling = "".join(f'<!ENTITY a{n} "&a{n - 1};&a{n - 1};">' for n in range(1, 40))
    xml = (
        f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a0 "ha">{doubling}]>'
        '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>&a39;</w:t></w:r>'
        "</w:p></w:body></w:document>"
    )
    with zipfile.ZipFile(word_file) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.infolist():
            new.writestr(entry, xml if entry.filename == "word/document.xml" else old.read(entry))
    return out.getvalue()


HOSTILE = {
    "nested.json": b"[" * 100_000 + b"]" * 100_000,
    "nested.jsonl": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "number.json": b"9" * 10_000,
    "surrogate.json": b'{"text": "a \\ud800 b \\u0000 c"}',
    "nested.html": b"<div>" * 10_000 + b"deep" + b"</div>" * 10_000,
    "unclosed.html": b"<" * 50_000,
    "comment.html": b"<!--" * 20_000 + b"<![CDATA[" * 20_000,
    "attribute.html": b"<a " + b"a=" * 50_000,
    "nul.html": b"a\0b",
    "nul.csv": b"a,b\n1,\0\n",
    "long.csv": b'"' + b"a" * 1_000_000,
    "empty.pdf": b"",
    "head.pdf": b"%PDF-1.7\n",
    "loop.pdf": b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 1 0 R/Kids[1 0 R]/Count 99999999>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF",
    "text.docx": b"this is no archive",
    "entities.docx": entities(),
    "other.xlsx": entities(),
    "latin.csv": "é,à\nü,ö\n".encode("latin-1"),
    "bytes.txt": bytes(range(256)),
    "utf8.md": b"valid \xc3\xa9 invalid \xff\xfe end",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_takes_a_moment_at_most(name: str) -> None:
    began = time.process_time()
    suffix = Path(name).suffix
    if suffix in FORMATS:
        with suppress(Unreadable):
            extract(suffix, HOSTILE[name])
    assert time.process_time() - began < 5


def test_hostile_files_are_read_or_skipped_with_a_reason(folder: Path) -> None:
    for name, data in HOSTILE.items():
        (folder / name).write_bytes(data)
    os.mkfifo(folder / "pipe.html")
    (folder / "device.txt").symlink_to("/dev/zero")
    (folder / "away.pdf").symlink_to("/etc/hostname")
    (folder / "loop.txt").symlink_to(folder / "loop.txt")
    (folder / "good.txt").write_text(MOON)
    with agent(folder) as asked:
        report = asked.index()
        skipped = dict(report.skipped)
        assert len(report.added) + len(skipped) == len(HOSTILE) + 5
        assert {"good.txt", "nested.html", "surrogate.json", "latin.csv"} <= set(report.added)
        assert all(reason and "\n" not in reason for reason in skipped.values())
        assert skipped["nested.json"] == skipped["nested.jsonl"] == "nested too deeply"
        assert skipped["pipe.html"] == "not a regular file"
        assert skipped["device.txt"] == skipped["away.pdf"] == "a link out of the documents folder"
        assert asked.read("surrogate.json") == "text: a \ufffd b \ufffd c"
        assert asked.search("Moon")[0].file == "good.txt"


def test_a_huge_file_is_not_read(folder: Path) -> None:
    for suffix in (".txt", ".pdf"):
        with (folder / f"huge{suffix}").open("wb") as file:
            file.truncate(5 * 1024**3)
    (folder / "good.txt").write_text(MOON)
    with agent(folder) as asked:
        assert dict(asked.index().skipped) == dict.fromkeys(
            ("huge.pdf", "huge.txt"), "larger than 200 MiB; split it into smaller files"
        )


def test_a_pipe_that_came_in_place_of_a_file_does_not_block(folder: Path) -> None:
    os.mkfifo(folder / "a.txt")
    with Reader() as reader, pytest.raises(Unreadable, match="not a regular file"):
        reader.read(folder / "a.txt")
    (folder / "b.txt").symlink_to("/etc/hostname")
    with Reader() as reader, pytest.raises(Unreadable):
        reader.read(folder / "b.txt")


def test_a_file_that_changes_while_it_is_read_is_read_again_or_skipped(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = folder / "a.txt"
    file.write_text("one")
    real, times = os.fstat, 0

    def fstat(handle: int) -> os.stat_result:
        nonlocal times
        times += 1
        if times <= changes:
            file.write_text("two" * times)
        return real(handle)

    changes = 2  # once between the first two looks
    monkeypatch.setattr(os, "fstat", fstat)
    assert reading.read_text(file)[0] == "twotwo"
    times, changes = 0, 99
    with pytest.raises(Unreadable, match="changed while it was read"):
        reading.read_text(file)


def test_a_parser_that_hangs_or_crashes_costs_one_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table(folder / "a.csv")
    with Reader(seconds=1.0) as reader:
        monkeypatch.setattr(isolation, "_MAIN", "import time; time.sleep(60)")
        with pytest.raises(Unreadable, match="longer than 1 s"):
            reader.read(folder / "a.csv")
        monkeypatch.setattr(isolation, "_MAIN", "import os; os.abort()")
        with pytest.raises(Unreadable, match="crashed"):
            reader.read(folder / "a.csv")
        monkeypatch.undo()
    with Reader() as reader:
        assert MOON in reader.read(folder / "a.csv").text


def test_nothing_is_imported_from_the_working_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "csv.py").write_text("raise SystemExit('taken over')")
    (folder / "rag_agent").mkdir()
    (folder / "rag_agent" / "__init__.py").write_text("raise SystemExit('taken over')")
    monkeypatch.chdir(folder)
    table(folder / "a.csv")
    with Reader() as reader:
        assert MOON in reader.read(folder / "a.csv").text


# --- random bytes -------------------------------------------------------------------------------------------------------


def mutated(data: bytes, chance: random.Random) -> bytes:
    """A file with some bytes changed, doubled, dropped, or cut off; or noise."""
    out = bytearray(data)
    for _ in range(chance.choice((1, 3, 30))):
        at = chance.randrange(len(out)) if out else 0
        kind = chance.randrange(5)
        if kind == 0 and out:
            out[at] = chance.randrange(256)
        elif kind == 1:
            out[at:at] = chance.randbytes(chance.randrange(20))
        elif kind == 2:
            del out[at : at + chance.randrange(50)]
        elif kind == 3:
            out[at:at] = out[at : at + chance.randrange(200)] * chance.randrange(3)
        elif chance.random() < 0.1:
            del out[at:]
    return bytes(out) if chance.random() < 0.95 else chance.randbytes(chance.randrange(300))


@pytest.mark.parametrize("suffix", sorted({*MAKERS, *LIKE}))
def test_damaged_files_are_read_or_skipped(folder: Path, suffix: str) -> None:
    MAKERS[LIKE.get(suffix, suffix)](folder / "a")
    seed = (folder / "a").read_bytes()
    chance = random.Random(suffix)
    with Reader(seconds=20) as reader:
        for number in range(40):
            path = folder / f"{number}{suffix}"
            path.write_bytes(mutated(seed, chance))
            try:
                found = reader.read(path)
            except Unreadable as reason:
                assert str(reason)
                assert "\n" not in str(reason)
                assert "longer than" not in str(reason)
                continue
            found.text.encode()
            assert all(found.text[s.start : s.end].strip() for s in found.sections or ())
