"""Scanned pages and pictures of text are read by the real Tesseract, where it is installed."""

import io
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from fpdf import FPDF

from rag_agent import RagAgent
from rag_agent.documents import Reader, Unreadable, ocr
from rag_agent.documents.formats import extract
from rag_agent.testing import CountEmbeddings, ScriptedChat

installed = pytest.mark.skipif(not ocr.languages(), reason="the program tesseract is not installed")
ARTICLE = Path(__file__).parent.parent / "rag_data" / "1969-07-17_daily.txt"


def printed(text: str) -> bytes:
    pdf = FPDF(unit="pt", format="A4")
    pdf.add_page()
    pdf.set_font("Helvetica", size=12)
    pdf.multi_cell(0, 15, text.encode("latin-1", "ignore").decode("latin-1"))
    return bytes(pdf.output())


def pictures(data: bytes) -> list[Any]:
    document = pypdfium2.PdfDocument(data)
    found = [page.render(scale=200 / 72, grayscale=True).to_pil() for page in document]
    document.close()
    return found


def scanned(data: bytes) -> bytes:
    """The same pages as pictures alone."""
    pdf = FPDF(unit="pt", format="A4")
    pdf.set_auto_page_break(False)
    for picture in pictures(data):
        pdf.add_page()
        pdf.image(picture, 0, 0, 595, 842)
    return bytes(pdf.output())


def picture_file(data: bytes, form: str) -> bytes:
    out = io.BytesIO()
    pictures(data)[0].save(out, form)
    return out.getvalue()


@pytest.fixture(scope="module")
def page() -> bytes:
    return printed(ARTICLE.read_text(encoding="utf-8").partition("\n---")[0])


@installed
def test_a_scanned_page_says_what_the_printed_one_says(page: bytes) -> None:
    printed_words = extract(".pdf", page).text.split()
    found = extract(".pdf", scanned(page))
    assert len(set(printed_words) - set(found.text.split())) < len(printed_words) / 50
    assert found.told == (f"1 scanned page read by OCR ({', '.join(ocr.languages())}): letters may be mistaken",)
    assert [section.page for section in found.sections or ()] == [1]


@installed
@pytest.mark.parametrize(("suffix", "form"), [(".png", "PNG"), (".jpg", "JPEG"), (".tif", "TIFF")])
def test_a_picture_of_a_page_is_read(page: bytes, suffix: str, form: str) -> None:
    assert "Saturn V rocket" in extract(suffix, picture_file(page, form)).text


@installed
def test_the_page_and_its_scan_answer_the_same_question(page: bytes, tmp_path: Path) -> None:
    answers = []
    for name, data in (("printed", page), ("scanned", scanned(page))):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "page.pdf").write_bytes(data)
        embeddings = CountEmbeddings(["rocket", "tall", "saturn", "crew", "moon"])
        with RagAgent(folder, model=ScriptedChat([]), embeddings=embeddings, home=":memory:") as agent:
            hits = agent.search("How tall is the Saturn V rocket?", k=1)
            answers.append(" ".join(hits[0].text.split()))
            assert hits[0].page == 1
    assert answers[0] == answers[1]
    assert "363 feet" in answers[0]


@installed
def test_each_page_of_a_scan_has_the_time_of_a_file(page: bytes, tmp_path: Path) -> None:
    pdf = FPDF(unit="pt", format="A4")
    pdf.set_auto_page_break(False)
    for _ in range(3):
        pdf.add_page()
        pdf.image(pictures(page)[0], 0, 0, 595, 842)
    path = tmp_path / "long.pdf"
    path.write_bytes(bytes(pdf.output()))
    with Reader(seconds=30) as reader:
        assert len(reader.read(path).sections or ()) == 3


def test_without_the_program_a_picture_is_refused_with_what_to_install(page: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "languages", tuple)
    with pytest.raises(Unreadable, match=r"rag-agent\[ocr\].* and the program tesseract"):
        extract(".png", picture_file(page, "PNG"))


@installed
def test_what_is_no_picture_or_shows_no_text_is_refused() -> None:
    from PIL import Image

    out = io.BytesIO()
    Image.new("L", (300, 300), 255).save(out, "PNG")
    for data in (out.getvalue(), b"\x89PNG\r\n\x1a\n nothing", b""):
        with pytest.raises(Unreadable):
            extract(".png", data)
