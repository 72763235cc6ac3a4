"""Make the README's pictures of the page: the real one, over rag_data and a PDF file made of it, with the embedded models.

    .venv/bin/python scripts/screenshots.py [FOLDER]

Needs Chromium. Writes ask.png, source.png, page.png, inspector.png, dark.png, phone.png.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PAPER = """The Observer, 21 July 1969

The command module Columbia circled the Moon at a height of about sixty nautical miles.
Every two hours it passed behind the Moon, and for some three quarters of an hour no radio reached it.

The lunar module Eagle weighed about fifteen metric tons at launch, most of it propellant."""


def pdf(path: Path) -> None:
    """A PDF file of one page."""
    from fpdf import FPDF

    made = FPDF()
    made.add_page()
    made.set_font("times", size=15)
    made.multi_cell(0, 9, PAPER)
    made.output(str(path))


def ask(page: Page, question: str) -> None:
    """Ask, and wait for the answer."""
    before = page.locator(".turn").count()
    page.locator("#question").fill(question)
    page.keyboard.press("Enter")
    page.locator(".turn").nth(before).get_by_role("button", name="How this came about").wait_for()
    time.sleep(0.5)


def pictures(page: Page, target: Path) -> None:
    """Walk through the page."""
    ask(page, "Who stayed in lunar orbit?")
    ask(page, "Where was he born?")
    page.screenshot(path=target / "ask.png")
    page.locator(".turn").first.locator(".sources button").first.click()
    page.locator("#side mark").first.wait_for()
    time.sleep(0.5)
    page.screenshot(path=target / "source.png")
    page.keyboard.press("Escape")
    page.locator("#new").click()
    ask(page, "How much did the lunar module Eagle weigh at launch?")
    page.locator(".turn").first.locator(".sources button", has_text="observer.pdf").first.click()
    page.locator("#side img").wait_for()
    time.sleep(0.5)
    page.screenshot(path=target / "page.png")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="How this came about").first.click()
    page.get_by_role("button", name="Show how units were ranked").click()
    page.locator("#side td").first.wait_for()
    page.screenshot(path=target / "inspector.png")
    page.keyboard.press("Escape")
    page.emulate_media(color_scheme="dark")
    page.get_by_role("button", name="Documents").click()
    page.locator("#side table").wait_for()
    page.screenshot(path=target / "dark.png")
    page.emulate_media(color_scheme="light")
    page.keyboard.press("Escape")
    page.set_viewport_size({"width": 390, "height": 780})
    page.screenshot(path=target / "phone.png")


def main() -> None:
    """Serve, and look."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "page"
    target.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium")
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as driver:
        docs = Path(scratch) / "docs"
        shutil.copytree(ROOT / "rag_data", docs)
        pdf(docs / "observer.pdf")
        environment = {**os.environ, "RAG_AGENT_HOME": scratch}
        words = [sys.executable, "-m", "rag_agent", "serve", "--docs", str(docs), "--port", "0"]
        with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=environment) as server:
            assert server.stderr
            address = re.search(r"http://\S+", server.stderr.readline())
            assert address
            browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1180, "height": 720})
            page.goto(address[0])
            page.get_by_text("passages").wait_for(timeout=60_000)
            pictures(page, target)
            browser.close()
            server.terminate()
    for path in target.glob("*.png"):  # a hundred colours are all that they have
        Image.open(path).convert("RGB").quantize(96).save(path, optimize=True)


if __name__ == "__main__":
    main()
