import os
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rag_agent.documents import Reading, Splitter, Unreadable, article_spans, decode, list_sources, read_text
from rag_agent.documents.structures import structure
from rag_agent.errors import DocumentsError


def articles(text: str, separator: str | None = None, *, markdown: bool = False) -> list[str]:
    return [text[start:end] for start, end in article_spans(text, separator, markdown=markdown)]


# --- articles -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["---", "-----", "----------", "  ---", "\t---", "---  ", "--- \t"])
def test_a_line_of_three_or_more_dashes_separates(rule: str) -> None:
    assert articles(f"one\n{rule}\ntwo\n") == ["one", "two"]


@pytest.mark.parametrize(
    "line",
    ["--", "- - -", "| --- | --- |", "|---|", "a --- b", "--- a", "a ---", "—", "***", "---:", "+---+", "--- ---", "–––"],
)
def test_dashes_with_anything_else_do_not_separate(line: str) -> None:
    assert articles(f"one\n{line}\ntwo") == [f"one\n{line}\ntwo"]


def test_windows_line_ends_separate_alike() -> None:
    assert articles("one\r\n---\r\ntwo\r\n-----\r\nthree\r\n") == ["one", "two", "three"]


def test_rules_at_the_ends_and_next_to_each_other_make_no_empty_article() -> None:
    assert articles("---\none\n---\n---\n \n---\ntwo\n---") == ["one", "two"]
    assert articles("---\n\n---\n") == []
    assert articles("") == []


def test_a_mark_before_the_first_rule_is_no_article() -> None:
    assert articles("\ufeff---\none") == ["one"]
    assert articles("\ufeffone") == ["one"]


def test_a_literal_separator_takes_the_place_of_the_rule() -> None:
    assert articles("one###two\n---\nstill two", "###") == ["one", "two\n---\nstill two"]
    assert articles("a.b", ".") == ["a", "b"]


FRONT = "title: The Moon\ntags:\n  - space\n- list\n# remark\n\n---\n"


def test_front_matter_belongs_to_the_first_article() -> None:
    assert articles(f"---\n{FRONT}one\n\n---\n\ntwo", markdown=True) == [f"{FRONT}one", "two"]
    assert len(articles(f"\ufeff---\n{FRONT}one".replace("\n", "\r\n"), markdown=True)) == 1


def test_a_literal_separator_alone_separates_in_markdown_too() -> None:
    assert articles("one\n\n---\n\none###two", "###", markdown=True) == ["one\n\n---\n\none", "two"]


def test_in_plain_text_there_is_no_front_matter() -> None:
    assert articles("---\ntitle: x\n---\none") == ["title: x", "one"]


def test_a_first_article_between_rules_is_not_taken_for_front_matter() -> None:
    assert articles("---\nMen walk on the Moon\n\n---\none", markdown=True) == ["Men walk on the Moon", "one"]


def test_a_rule_without_a_second_one_opens_no_front_matter() -> None:
    assert articles("---\ntitle: x\none", markdown=True) == ["title: x\none"]


@pytest.mark.parametrize(
    "text",
    [
        "Retries\n-------\n\nThe server tries 5 times.",
        "```\na\n\n---\n\nb\n```",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "- one\n\n  ---\n\n  still one",
        "> one\n>\n> ---\n>\n> still one",
    ],
)
def test_what_is_no_thematic_break_separates_nothing_in_markdown(text: str) -> None:
    assert articles(text, markdown=True) == [text]


def test_a_rule_right_below_a_sentence_separates_in_markdown_although_it_would_underline_a_heading() -> None:
    assert articles("One ends here.\n---\nTwo", markdown=True) == ["One ends here.", "Two"]
    assert articles("One goes\non for long\n---\nTwo", markdown=True) == ["One goes\non for long", "Two"]


@pytest.mark.parametrize(
    "text",
    [
        "Retries\n-------\n\nThe server tries 5 times.",
        "Start.\n\nUninstalling\n------------\nDelete the folder.",
        "Intro.\n\n------------------\nSECTION 1. NOTHING\n------------------\n\nText.",
        "Item     Price\n-----------------\nPump     20\n",
    ],
)
def test_dashes_below_a_heading_or_the_head_of_a_table_separate_nothing_in_plain_text(text: str) -> None:
    assert articles(text) == [text.strip()]


@pytest.mark.parametrize(
    "text", ["Two lines\nof an article\n-------------\nb", "An article.\n-----------\nb", "a\n\n-------\n\nb", "Note\n---\nb"]
)
def test_dashes_below_anything_else_do_in_plain_text(text: str) -> None:
    assert len(articles(text)) == 2


# --- chunks -------------------------------------------------------------------------------------------------------------

pieces = st.sampled_from(
    [
        "---",
        "\n",
        "\r\n",
        "\n\n",
        " ",
        "word",
        "ab ",
        "é",
        "月の石",
        "😀",
        "e\u0301",
        "\ufeff",
        "|---|",
        ". ",
        "Ο Νηλ",
        "של",
        "\u00a0",
        "\u2028",
    ]
)
texts = st.lists(pieces, max_size=120).map("".join) | st.text(max_size=300)


@settings(deadline=None, max_examples=200)
@example(text="\ufeff\xa0\ufeff", size=5, share=0.0, suffix=".txt")
@given(text=texts, size=st.integers(5, 60), share=st.floats(0, 0.9), suffix=st.sampled_from([".txt", ".md"]))
def test_chunks_are_exact_complete_and_within_their_article(text: str, size: int, share: float, suffix: str) -> None:
    found = structure(suffix, text)
    reading = Reading(text, "utf-8", found.sections, found.blocks)
    chunks = list(Splitter(size, int(size * share)).chunks_of(reading))
    for chunk in chunks:
        section = found.sections[chunk.article]
        assert section.start <= chunk.start < chunk.end <= section.end
        assert chunk.end - chunk.start <= size
    covered = {at for chunk in chunks for at in range(chunk.start, chunk.end)}
    covered |= {at for block in found.blocks if block.kind == "furniture" for at in range(block.start, block.end)}
    within = {
        at
        for section in found.sections
        for at in range(section.start, section.end)
        if not text[at].isspace() and text[at] != "\ufeff"
    }
    assert within - covered == set()


def test_text_that_repeats_itself_is_covered_to_its_end() -> None:
    chunks = list(Splitter(3, 1).chunks("aa a"))
    assert [(chunk.start, chunk.end) for chunk in chunks] == [(0, 2), (3, 4)]


@settings(deadline=None, max_examples=200)
@given(text=texts, encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]))
def test_bytes_come_back_from_the_text_and_its_encoding(text: str, encoding: str) -> None:
    if encoding.startswith("utf-16-"):
        text = f"\ufeff{text}"  # else nothing tells it apart from binary data
    data = text.encode(encoding)
    if "\0" in text:
        return
    decoded, codec = decode(data)
    assert data.decode(codec) == decoded
    assert decoded.encode(codec) == data
    assert decoded in (text, f"\ufeff{text}")


def test_newlines_are_not_translated() -> None:
    assert decode(b"one\r\ntwo\rthree\n") == ("one\r\ntwo\rthree\n", "utf-8")


def test_a_byte_order_mark_is_one_character() -> None:
    assert decode("Moon".encode("utf-8-sig")) == ("\ufeffMoon", "utf-8")
    assert decode("Moon".encode("utf-16")) == ("\ufeffMoon", "utf-16-le")


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        (
            "cp1252",
            "Le café était fermé à cause de la fête nationale; l’église aussi. Très bien, dit l’évêque, déjà à l’œuvre.\n",
        ),
        ("cp1252", "Der Mond ist aufgegangen, die Vögel schliefen früh. Die Straße führte über den Fluß.\n"),
        ("cp1252", "¿Cuánto piden por la motocicleta alemana? El niño nació en el año 1969, según el médico.\n"),
        ("cp1252", "De geïnteresseerde reünie vond plaats in een café; het kostte € 5 per één persoon.\n"),
        ("cp1250", "Zażółć gęślą jaźń. Ludzie wylądowali na Księżycu, a dziś wrócili na Ziemię. Świat się cieszy.\n"),
        ("cp1251", "Люди высадились на Луне двадцатого июля. Весь мир следил за полётом по радио.\n"),
        ("cp1253", "Οι άνθρωποι προσγειώθηκαν στη Σελήνη στις 20 Ιουλίου. Όλος ο κόσμος παρακολουθούσε.\n"),
        ("shift_jis", "人類が月に着陸した。世界中の人々がラジオとテレビで見守った。\n"),
    ],
)
def test_text_in_a_legacy_encoding_is_read(encoding: str, text: str) -> None:
    data = text.encode(encoding)
    decoded, codec = decode(data)
    assert decoded == text
    assert data.decode(codec) == text


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x01\x02",
        b"text\x00more",
        bytes(range(256)) * 8,
        b"\x89PNG\r\n\x1a\n" + b"\x01\x02\x03\x9d\x81" * 40,
        b"\xff\xfe\x00",
    ],
)
def test_binary_data_is_no_text(data: bytes) -> None:
    with pytest.raises(Unreadable):
        decode(data)


def test_reading_a_file_that_cannot_be_opened_says_why(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="No such file"):
        read_text(tmp_path / "none.txt")


# --- folders ------------------------------------------------------------------------------------------------------------


def write(folder: Path, *files: str) -> None:
    for file in files:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("text", encoding="utf-8")


def files(docs: Path) -> list[str]:
    return [source.file for source in list_sources(docs).sources]


def test_files_are_found_in_depth_in_a_stable_order(tmp_path: Path) -> None:
    write(tmp_path, "b.txt", "a.md", "sub/c.TXT", "sub/deep/d.md", "a/z.txt")
    assert files(tmp_path) == files(tmp_path)
    assert sorted(files(tmp_path)) == ["a.md", "a/z.txt", "b.txt", "sub/c.TXT", "sub/deep/d.md"]


def test_hidden_files_and_folders_are_left_out_without_a_word(tmp_path: Path) -> None:
    write(tmp_path, "a.txt", ".hidden.txt", ".git/b.txt", "sub/.c.md")
    listing = list_sources(tmp_path)
    assert [source.file for source in listing.sources] == ["a.txt"]
    assert listing.skipped == ()


def test_a_hidden_folder_that_is_named_is_read(tmp_path: Path) -> None:
    write(tmp_path, ".notes/a.txt")
    assert files(tmp_path / ".notes") == ["a.txt"]


def test_other_kinds_of_file_are_named_with_the_reason(tmp_path: Path) -> None:
    write(tmp_path, "a.txt", "b.zip")
    os.mkfifo(tmp_path / "pipe.txt")
    assert list_sources(tmp_path).skipped == (
        ("b.zip", "not a kind of file that is read"),
        ("pipe.txt", "not a regular file"),
    )


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path, "secret.txt", "docs/a.txt", "outside/b.txt")
    (tmp_path / "docs" / "link.txt").symlink_to(tmp_path / "secret.txt")
    (tmp_path / "docs" / "folder").symlink_to(tmp_path / "outside")
    (tmp_path / "docs" / "broken.txt").symlink_to(tmp_path / "nothing")
    listing = list_sources(tmp_path / "docs")
    assert [source.file for source in listing.sources] == ["a.txt"]
    assert ("link.txt", "a link out of the documents folder") in listing.skipped
    assert "broken.txt" in dict(listing.skipped)


def test_a_link_within_the_folder_is_read(tmp_path: Path) -> None:
    write(tmp_path, "a.txt")
    (tmp_path / "b.txt").symlink_to(tmp_path / "a.txt")
    assert files(tmp_path) == ["a.txt", "b.txt"]


def test_a_docs_root_that_is_a_link_is_read(tmp_path: Path) -> None:
    write(tmp_path, "real/a.txt")
    (tmp_path / "docs").symlink_to(tmp_path / "real")
    assert files(tmp_path / "docs") == ["a.txt"]


def test_a_single_file_is_a_folder_of_one(tmp_path: Path) -> None:
    write(tmp_path, "a.txt", "b.txt")
    listing = list_sources(tmp_path / "b.txt")
    assert [source.file for source in listing.sources] == ["b.txt"]
    assert listing.root == tmp_path


@pytest.mark.parametrize("name", ["nothing", "bad\0name"])
def test_a_folder_that_is_not_there_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(DocumentsError) as caught:
        list_sources(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_a_name_that_is_no_utf_8_is_skipped_and_named(tmp_path: Path) -> None:
    write(tmp_path, "a.txt")
    with open(os.path.join(os.fsencode(tmp_path), b"b\xff.txt"), "wb") as file:
        file.write(b"text")
    listing = list_sources(tmp_path)
    assert [source.file for source in listing.sources] == ["a.txt"]
    assert listing.skipped == (("b\ufffd.txt", "its name is not valid UTF-8"),)
