"""The page in a real Chromium, with the embedded models: what a person does all day, with mouse, keyboard and phone."""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import absent
from tests.serving import until

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.model
QUESTION = "Who stayed in lunar orbit?"
COLLINS = "Michael Collins stayed in lunar orbit"


@pytest.fixture
def address(embedded: Callable[..., Any], rag_data: Path, command: list[str]) -> Iterator[str]:
    """`rag-agent serve` over a copy of the sample documents, in a process of its own."""
    shutil.copytree(rag_data, "rag_data")
    log = Path("serve.log")
    with log.open("w", encoding="utf-8") as err:
        process = subprocess.Popen([*command, "serve", "--port", "0", "--watch"], stderr=err)
    try:
        until(lambda: "Serving http" in log.read_text(encoding="utf-8"))
        found = re.search(r"http://[^ ]+", log.read_text(encoding="utf-8"))
        assert found
        yield found[0]
    finally:
        process.terminate()
        assert process.wait(30) in (0, -15)
        assert "Traceback" not in log.read_text(encoding="utf-8")


@pytest.fixture
def page(address: str) -> Iterator[Any]:
    if CHROMIUM is None:
        absent("there is no Chromium: apt install chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB", accept_downloads=True)
        found = context.new_page()
        wrong: list[str] = []
        found.on("pageerror", lambda error: wrong.append(str(error)))
        found.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        found.on("request", lambda request: wrong.append(request.url) if not request.url.startswith((address, "blob:")) else None)
        found.goto(address)
        found.get_by_text("passages").wait_for(timeout=60_000)
        yield found
        assert wrong == []
        browser.close()


def ask(page: Any, question: str) -> Any:
    """Ask, and give the turn when it is answered."""
    before = page.locator(".turn").count()
    page.get_by_label("Ask your documents").fill(question)
    page.keyboard.press("Enter")
    turn = page.locator(".turn").nth(before)
    turn.get_by_role("button", name="How this came about").wait_for(timeout=30_000)
    return turn


def test_ask_open_the_source_follow_up_and_find_it_all_again(page: Any) -> None:
    turn = ask(page, QUESTION)
    assert COLLINS in turn.locator(".answer").inner_text()
    assert turn.locator(".standing.quote").count() >= 1
    turn.locator(".sources button").first.click()
    page.locator("#side mark").first.wait_for()
    assert COLLINS in page.locator("#side mark").first.inner_text()
    assert page.locator("#side mark").first.is_visible()
    page.keyboard.press("Escape")
    assert page.locator("#side").is_hidden()
    assert "Rome" in ask(page, "Where was he born?").inner_text()
    page.reload()
    page.locator(".turn").nth(1).wait_for()
    assert COLLINS in page.locator(".turn").first.inner_text()
    page.get_by_role("button", name="New conversation").click()
    assert page.locator(".turn").count() == 0
    page.get_by_label("Search conversations").fill("Collins")
    page.locator("#thread-list button").first.click()
    page.locator(".turn").nth(1).wait_for()


def test_edit_rewind_fork_rename_export_and_delete(page: Any) -> None:
    ask(page, QUESTION)
    ask(page, "Where was he born?")
    page.locator(".turn").nth(1).get_by_role("button", name="Edit").click()
    page.locator("#dialog-input").fill("When was Michael Collins born?")
    page.locator("#dialog-ok").click()
    page.locator(".turn h2", has_text="When was Michael Collins born?").wait_for()
    page.locator(".turn").first.get_by_role("button", name="Back to here").click()
    page.locator("#dialog-ok").click()
    until(lambda: page.locator(".turn").count() == 1)
    page.get_by_role("button", name="Fork here").click()
    until(lambda: page.locator("#thread-list > li").count() == 2)
    page.get_by_role("button", name="Rename").click()
    page.locator("#dialog-input").fill("The one in orbit")
    page.locator("#dialog-ok").click()
    page.locator("#thread-list").get_by_text("The one in orbit").wait_for()
    with page.expect_download() as told:
        page.get_by_role("button", name="Export").click()
    exported = Path("exported.json")
    told.value.save_as(exported)
    page.get_by_role("button", name="Delete").click()
    page.locator("#dialog button[value=cancel]").click()
    assert page.locator("#thread-list > li").count() == 2
    page.get_by_role("button", name="Delete").click()
    page.locator("#dialog-ok").click()
    until(lambda: page.locator("#thread-list > li").count() == 1)
    page.locator("#import").set_input_files(exported)
    page.locator(".turn").first.wait_for()
    assert COLLINS in page.locator(".turn").first.inner_text()


def test_a_file_that_is_dropped_is_indexed_and_answers(page: Any) -> None:
    page.evaluate(
        """() => {
            const data = new DataTransfer();
            data.items.add(new File(["The ferry to Klein Bonaire leaves at half past nine."], "ferry.txt"));
            for (const kind of ["dragenter", "dragover", "drop"])
                window.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
        }"""
    )
    page.get_by_text("Added: ferry.txt").wait_for()
    page.get_by_text("4 files").wait_for(timeout=30_000)
    assert "half past nine" in ask(page, "When does the ferry to Klein Bonaire leave?").inner_text()
    page.get_by_role("button", name="Documents").click()
    page.locator("#side").get_by_role("button", name="ferry.txt").click()
    page.locator("#side pre").get_by_text("half past nine").wait_for()


def test_a_changed_source_is_marked_and_can_be_asked_again(page: Any) -> None:
    ask(page, QUESTION)
    for path in Path("rag_data").glob("*.txt"):
        path.write_text(
            path.read_text(encoding="utf-8").replace("stayed in lunar orbit", "remained in lunar orbit"), encoding="utf-8"
        )
    page.reload()
    stale = page.locator(".stale")
    stale.wait_for()
    assert "has changed" in stale.inner_text()
    stale.get_by_role("button", name="Ask again").click()
    page.locator(".turn").nth(1).get_by_text("remained in lunar orbit").first.wait_for()


def test_what_was_found_ranked_and_handed_on_can_be_looked_at(page: Any) -> None:
    ask(page, QUESTION).get_by_role("button", name="How this came about").click()
    page.locator("#side").get_by_text("Passages looked at").wait_for()
    page.get_by_role("button", name="Show how units were ranked").click()
    page.locator("#side td", has_text=COLLINS).first.wait_for()
    page.locator("#side ol button").first.click()
    page.locator("#side .looked, #side mark").first.wait_for()


def test_scripts_in_documents_are_text(page: Any) -> None:
    trap = '<img src=x onerror="document.title=1"><script>document.title=2</script> is how the Zeppelin letter ends.'
    Path("rag_data/trap.txt").write_text(trap, encoding="utf-8")
    page.get_by_text("4 files").wait_for(timeout=30_000)
    turn = ask(page, "How does the Zeppelin letter end?")
    assert "<script>" in turn.inner_text()
    turn.locator(".sources button").first.click()
    page.locator("#side mark").first.wait_for()
    assert page.title() == "rag-agent"
    assert page.locator("#side img, .turn img").count() == 0


def test_the_keyboard_alone_will_do(page: Any) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.type(QUESTION)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="How this came about").wait_for(timeout=30_000)
    for _ in range(40):
        page.keyboard.press("Shift+Tab")
        if page.evaluate("document.activeElement.closest('.sources') !== null"):
            break
    page.keyboard.press("Enter")
    page.locator("#side mark").first.wait_for()
    assert page.evaluate("document.activeElement.id") == "side-title"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.closest('.sources') !== null")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing_serious_and_nothing_runs_off_the_side(page: Any, scheme: str, width: int) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 800})

    def check() -> None:
        found = Axe().run(page).response["violations"]
        assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    page.context.set_extra_http_headers({})
    check()
    turn = ask(page, QUESTION)
    check()
    turn.locator(".sources button").first.click()
    page.locator("#side mark").first.wait_for()
    check()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Documents").click()
    page.locator("#side table").wait_for()
    check()


def test_it_speaks_dutch(page: Any) -> None:
    page.get_by_label("Language").select_option("nl")
    page.get_by_role("button", name="Nieuw gesprek").wait_for()
    assert page.evaluate("document.documentElement.lang") == "nl"
    page.reload()
    page.get_by_role("button", name="Nieuw gesprek").wait_for()
