"""The page as a monitor uses it: live, filtered, opened, by keyboard, over a restart."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.desk_server import Desk, running
from tests.unit.test_desk import diplomatic

ROW = "#stream .row"
LOST_SECONDS = 15_000


def live(page: Page) -> None:
    expect(page.locator("#state")).to_have_attribute("data-state", "live")


def test_a_story_comes_by_itself_and_a_filter_holds(page: Page, tmp_path: Path) -> None:
    with running(tmp_path) as desk:
        page.goto(desk.url)
        expect(page.locator("#blank")).to_contain_text("Waiting for the first story")
        live(page)
        page.evaluate("window.notReloaded = true")
        desk.feed(diplomatic(), diplomatic(story_id="t", event_id="e1", type="AID", peace="none", tone="positive"))
        expect(page.locator(ROW)).to_have_count(2)
        expect(page.locator(ROW).first).to_contain_text("gives aid")
        expect(page.locator(f"{ROW}.alerted")).to_have_count(1)
        expect(page.locator(f"{ROW}.alerted")).to_contain_text("Alert: New peace-talk statements")
        expect(page.locator("#live")).to_contain_text("2 new stories, 1 with an alert", timeout=8000)

        page.get_by_label("reject", exact=True).check()
        expect(page.locator(ROW)).to_have_count(1)
        assert page.url.endswith("?types=REJECT")
        live(page)
        desk.feed(diplomatic(story_id="u", event_id="e2", type="AID"), diplomatic(story_id="v", event_id="e3"))
        expect(page.locator(ROW)).to_have_count(2)
        # A story that changes into something else leaves the list.
        desk.feed(diplomatic(story_id="v", event_id="e4", type="AGREE", status="changed"))
        expect(page.locator(ROW)).to_have_count(1)
        assert page.evaluate("window.notReloaded") is True
        page.go_back()
        expect(page.locator(ROW)).to_have_count(4)
        page.locator("#text").fill("nothing has these words")
        expect(page.locator("#blank")).to_contain_text("No story matches")
        page.get_by_role("button", name="Clear all filters").last.click()
        expect(page.locator(ROW)).to_have_count(4)
        # The address alone brings the filter back.
        page.goto(f"{desk.url}/?types=AID&sides=FRA")
        expect(page.locator(ROW)).to_have_count(2)
        expect(page.locator("#sides")).to_have_value("FRA")
        page.goto(f"{desk.url}/?types=NOTHING")
        expect(page.locator("#blank")).to_contain_text("This filter cannot be used")


def test_a_story_opens_and_the_keys_lead_through(page: Page, tmp_path: Path) -> None:
    evidence = diplomatic().evidence.model_dump() | {
        "sentence": "On Friday <b>the envoy turned down the talks</b> & left.",
        "sentence_start": 0,
        "start": 13,
        "end": 44,
    }
    chain = [{"text": "a diplomat", "cue": "told"}, {"text": "two officials"}]
    with running(tmp_path) as desk:
        desk.feed(diplomatic(attribution=chain, evidence=evidence, url="https://wire.example/1"))
        desk.feed(diplomatic(story_id="t", event_id="e1", type="AID", peace="none"))
        page.goto(desk.url)
        expect(page.locator(ROW)).to_have_count(2)
        page.keyboard.press("j")
        page.keyboard.press("j")
        page.keyboard.press("k")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        detail = page.locator("#detail-body")
        expect(detail.locator("mark")).to_have_text("the envoy turned down the talks")
        expect(detail.locator("blockquote")).to_have_text("On Friday <b>the envoy turned down the talks</b> & left.")
        assert detail.locator(".chain li").all_text_contents() == ["Example Wire", "a diplomat “told”", "two officials"]
        expect(detail).to_contain_text("against peace talks")
        expect(detail).to_contain_text("told as fact")
        expect(detail).to_contain_text("3 May 2024")
        assert page.url.endswith("?story=s")
        expect(page.locator("#detail-title")).to_be_focused()
        # An open story follows what becomes of it.
        desk.feed(diplomatic(event_id="e2", status="contradicted", claim="denied", source="Other Paper"))
        expect(detail).to_contain_text("How it changed")
        expect(detail.locator(".telling")).to_have_count(2)
        page.keyboard.press("d")
        expect(detail.locator("svg .mark")).to_have_count(2)
        assert set(detail.locator("svg .tick").all_text_contents()) >= {
            "+10",
            "0",
            "−10",
            "for",
            "against",
            "2024-05-03",
        }
        expect(detail.locator("svg .stance")).to_have_count(1)
        detail.locator("svg a.mark").first.focus()
        page.keyboard.press("Enter")
        expect(detail.locator("blockquote").first).to_be_visible()
        page.keyboard.press("Escape")
        expect(detail).to_be_hidden()
        assert page.url.rstrip("/") == desk.url
        page.keyboard.press("/")
        expect(page.locator("#text")).to_be_focused()
        page.keyboard.press("Escape")
        page.keyboard.press("?")
        expect(page.locator("#help")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("#help")).to_be_hidden()


def test_no_story_is_missed_over_a_restart(page: Page, tmp_path: Path) -> None:
    with running(tmp_path) as desk:
        port = desk.port
        desk.feed(diplomatic())
        page.goto(desk.url)
        live(page)
        expect(page.locator(ROW)).to_have_count(1)
        page.evaluate("window.notReloaded = true")
    expect(page.locator("#state")).to_have_attribute("data-state", "lost", timeout=LOST_SECONDS)
    expect(page.locator("#banner")).to_contain_text("Connection lost", timeout=LOST_SECONDS)
    with running(tmp_path, desk_port=port) as desk:
        missed(desk)
        expect(page.locator(ROW)).to_have_count(31, timeout=LOST_SECONDS)
        live(page)
        expect(page.locator("#banner")).to_be_hidden()
        seen = page.locator(ROW).evaluate_all("rows => rows.map((row) => row.dataset.id)")
        assert seen == [f"m{n}" for n in range(29, -1, -1)] + ["s"]
        assert page.evaluate("window.notReloaded") is True


def test_a_desk_that_does_not_answer_is_asked_again(page: Page, tmp_path: Path) -> None:
    with running(tmp_path) as desk:
        desk.feed(diplomatic())
        page.route("**/api/stories?*", lambda route: route.fulfill(status=503, body='{"detail": "away"}'))
        page.goto(desk.url)
        expect(page.locator("#blank")).to_contain_text("cannot be loaded")
        expect(page.locator("#state")).to_have_attribute("data-state", "lost")
        page.unroute("**/api/stories?*")
        expect(page.locator(ROW)).to_have_count(1, timeout=LOST_SECONDS)
        expect(page.locator("#blank")).to_be_hidden()
        live(page)


def missed(desk: Desk) -> None:
    desk.feed(*(diplomatic(story_id=f"m{n}", event_id=f"m{n}") for n in range(30)))


@pytest.mark.parametrize("width", [400, 768, 1600])
def test_the_page_fits_its_width_and_every_control_has_a_name(browser: Browser, tmp_path: Path, width: int) -> None:
    with running(tmp_path) as desk:
        long_word = "x" * 300
        evidence = diplomatic().evidence.model_dump() | {"quote": long_word, "sentence": long_word}
        desk.feed(diplomatic(evidence=evidence, title=long_word))
        page = browser.new_page(viewport={"width": width, "height": 800})
        for path in ("/", "/?story=s", "/?dyad=FRA|ITA"):
            page.goto(desk.url + path)
            expect(page.locator(ROW)).to_have_count(1)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
            unnamed = page.evaluate(
                "[...document.querySelectorAll('a, button, input')].filter((e) => e.checkVisibility() &&"
                " !(e.ariaLabel || e.getAttribute('aria-labelledby') || e.textContent.trim() || e.labels?.length))"
                ".map((e) => e.outerHTML)"
            )
            assert unnamed == [], path
        page.close()
