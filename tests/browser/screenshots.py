"""Pictures of the page for the README: `demarche extract … | python -m tests.browser.screenshots FOLDER`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, expect

from schemas.records import DiplomaticEvent
from tests.browser.chromium import chromium
from tests.desk_server import Desk, running


def main(folder: Path) -> None:
    """Takes one wide and light with a story open, and one narrow and dark."""
    events = [DiplomaticEvent.model_validate_json(line) for line in sys.stdin]
    shown = max((e for e in events if e.peace != "none"), key=lambda e: len(e.attribution))
    with tempfile.TemporaryDirectory() as scratch, running(Path(scratch)) as desk, chromium() as browser:
        for event in events:
            desk.feed(event)
        shoot(browser, desk, f"/?story={shown.story_id}", 1600, 1000, "light", folder / "desk-light.png")
        shoot(browser, desk, "/?peace=oppose&peace=conditional", 400, 860, "dark", folder / "desk-dark.png")


def shoot(browser: Browser, desk: Desk, path: str, width: int, height: int, scheme: str, to: Path) -> None:
    """One picture."""
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, locale="en-GB")  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(desk.url + path)
    expect(page.locator("#stream .row").first).to_be_visible()
    expect(page.locator("#state")).to_have_attribute("data-state", "live")
    page.wait_for_timeout(500)
    page.screenshot(path=str(to))
    context.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
