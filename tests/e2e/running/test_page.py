"""The page in a browser: its main paths without a script, what axe-core says, and how it fits a telephone."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from sandbox.stored_fleet import names
from sandbox.stored_fleet.pages import BASE
from sandbox.stored_fleet.pages import PAGES as PAGES_OF_A_FLEET
from sandbox.stored_fleet.serving import READER, TOKEN, served

AXE = Path(__file__).parents[3] / "tools" / "node_modules" / "axe-core" / "axe.min.js"
PAGES = {"sign in": "/login", **PAGES_OF_A_FLEET, "not there": "/nothing"}
LISTED = "section[aria-labelledby=list]"
"""Where the fleet's page lists repositories."""
MOST_LOOKS = 40
"""So often a page that is looked at asks for what moves."""
RULES = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("page"), repositories=120, usages=4) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


def signed_in(browser: Browser, address: str, **options: object) -> Page:
    page = browser.new_context(base_url=address, **options).new_page()  # type: ignore[arg-type]
    page.goto("/operations")
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Operations")
    return page


def say_why(page: Page, order: str, reason: str) -> None:
    """Gives one of the page's orders, with its reason."""
    form = page.locator("details.order", has=page.locator("summary", has_text=order))
    form.locator("summary").click()
    form.get_by_role("textbox").fill(reason)
    form.get_by_role("button", name=order, exact=True).click()


def expect_in_journal(page: Page, reason: str) -> None:
    page.get_by_role("link", name="Operations").click()
    entry = page.locator("section", has_text="Journal").locator("tr", has_text=reason)
    expect(entry).to_contain_text("alice")


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """Somebody who signed in, in a browser without scripts."""
    shown = signed_in(browser, address, java_script_enabled=False)
    yield shown
    shown.context.close()


def test_a_maintainer_finds_a_repository_and_has_it_tried_again(page: Page) -> None:
    page.get_by_role("link", name="Fleet").click()
    page.locator("select[name=standing]").select_option("failed")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**/*standing=failed*")
    rows = page.locator(f"{LISTED} tbody tr")
    expect(rows.first.locator(".chip").first).to_have_text("failed")
    name = rows.first.get_by_role("link").first.inner_text()
    rows.first.get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    say_why(page, "Retry", "the registry was down again")
    expect(page.get_by_role("status")).to_contain_text("due now")
    expect_in_journal(page, "the registry was down again")


def test_a_rollout_is_paused_and_goes_on(page: Page) -> None:
    page.get_by_role("link", name="Rollouts").click()
    page.locator("article", has_text="Rollout 13").get_by_role("heading").get_by_role("link").click()
    for order, standing in (("Pause", "paused"), ("Resume", "under way")):
        say_why(page, order, f"to see what {order} does")
        expect(page.get_by_role("heading", level=1)).to_contain_text(standing)
        expect_in_journal(page, f"to see what {order} does")
        page.go_back()


def test_a_base_is_quarantined_and_freed(page: Page) -> None:
    page.goto(f"/bases/{BASE}")
    say_why(page, "Quarantine", "it breaks TLS to the ledger")
    expect(page.locator("p.warning")).to_contain_text("Quarantined by alice")
    say_why(page, "Lift the quarantine", "the ledger was at fault")
    expect(page.locator("p.warning")).to_have_count(0)
    expect_in_journal(page, "the ledger was at fault")


def test_a_wrong_token_lets_nobody_in(browser: Browser, address: str) -> None:
    page = browser.new_context(base_url=address, java_script_enabled=False).new_page()
    page.goto("/rollouts/13")
    page.get_by_label("Token").fill("not-a-token")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("That is nobody's token.")
    page.get_by_label("Token").fill(READER)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{address}/rollouts/13")
    expect(page.get_by_text("Pause", exact=True)).to_have_count(0)
    page.context.close()


def test_the_fleet_is_filtered_sorted_and_searched(page: Page) -> None:
    page.goto("/")
    page.locator(".legend").get_by_role("link", name="behind").click()
    expect(page.locator(f"{LISTED} tbody tr").first.locator(".chip").first).to_have_text("behind")
    page.locator("select[name=standing]").select_option("")
    page.locator("select[name=sort]").select_option("name")
    page.get_by_role("textbox", name="Base").fill(BASE)
    page.get_by_role("searchbox", name="Name").fill("-api")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**/*sort=name*")
    found = page.locator(f"{LISTED} tbody tr td:first-child a").all_inner_texts()
    assert found == sorted(found)
    assert found
    assert all("-api" in name for name in found)
    page.get_by_role("link", name="Show all").click()
    expect(page.locator("nav.pages")).to_contain_text("of 120")


def test_an_image_leads_to_where_it_runs(page: Page) -> None:
    page.get_by_role("link", name="Images").click()
    page.get_by_label("Image or repository").fill(names.service(2))
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name=f"ghcr.io/{names.repository(2)}", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"ghcr.io/{names.repository(2)}")
    place = page.locator("section", has_text="Where it runs").get_by_role("link").first
    expect(place).to_have_attribute("href", re.compile(r"/deploy/production/deployment\.yaml#L24"))


def test_pages_lead_from_a_fix_to_a_line(page: Page) -> None:
    page.goto("/advisories/CVE-2026-10005")
    page.locator("section", has_text="Bases that brought it").get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="How late upstream was")).to_be_visible()
    page.locator("section", has_text="Who uses it").get_by_role("link").first.click()
    line = page.locator("tbody tr").first.get_by_role("link").first
    expect(line).to_have_attribute("href", re.compile(r"^https://github\.com/contoso/.+/blob/main/.+#L\d+$"))


def test_a_long_list_is_turned_over(page: Page) -> None:
    page.goto("/?sort=name")
    page.get_by_role("link", name="Next").click()
    expect(page.locator("nav.pages")).to_contain_text("51 to 100 of 120")


def test_anything_is_found_from_every_page_without_a_script(page: Page) -> None:
    page.goto("/operations")
    page.get_by_role("searchbox", name="Find a repository").fill(names.repository(2)[3:])
    page.keyboard.press("Enter")
    page.wait_for_url("**/find?q=*")
    page.get_by_role("main").get_by_role("link", name=names.repository(2), exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(names.repository(2))
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_contain_text("What is called")


def test_a_number_leads_to_what_it_counts(page: Page) -> None:
    page.goto("/practices")
    row = page.locator("tr", has_text="image-user").first
    number = row.locator("td[data-label=Fails]").inner_text()
    row.locator("td[data-label=Fails]").get_by_role("link").click()
    expect(page.locator("nav.pages")).to_contain_text(f"of {number}")
    expect(page.locator("#list ~ table tbody .chip").first).to_have_text("fails")


def test_the_key_of_a_slash_leads_to_what_finds_anything(browser: Browser, address: str) -> None:
    page = signed_in(browser, address)
    page.goto("/rollouts/13")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Find a repository")).to_be_focused()
    page.keyboard.type("a/b")
    expect(page.get_by_role("searchbox", name="Find a repository")).to_have_value("a/b")
    page.context.close()


def test_what_is_under_way_moves_by_itself_and_not_for_ever(browser: Browser, address: str) -> None:
    page = signed_in(browser, address)
    page.clock.install()
    asked: list[str] = []
    page.goto("/rollouts/13")
    page.on("request", lambda request: asked.append(request.url) if request.resource_type == "fetch" else None)
    shown = page.locator("#states h2").inner_text()
    page.evaluate("document.querySelector('#states h2').textContent = 'as it was before'")
    page.clock.run_for(16_000)
    expect(page.locator("#states h2")).to_have_text(shown)
    assert asked == [f"{address}/rollouts/13"]
    for _ in range(2_000):
        page.clock.run_for(16_000)
        if len(asked) >= MOST_LOOKS:
            break
    page.clock.run_for(300_000)
    assert len(asked) == MOST_LOOKS
    page.context.close()


def test_what_has_ended_is_not_asked_for_again(browser: Browser, address: str) -> None:
    page = signed_in(browser, address)
    page.clock.install()
    page.goto("/rollouts/2")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.resource_type == "fetch" else None)
    page.clock.run_for(120_000)
    assert asked == []
    page.context.close()


def test_signing_out_ends_it(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login")
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_the_keyboard_gets_to_the_content_first(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the content")).to_be_focused()


@pytest.mark.long
def test_nothing_scrolls_sideways_however_long_the_words_are(browser: Browser, tmp_path: Path) -> None:
    found = []
    with served(tmp_path, repositories=60, usages=4, mark="x" * 90) as url:
        for width in (1280, 1024, 768, 400):
            page = signed_in(browser, url, viewport={"width": width, "height": 900})
            for name, path in PAGES.items():
                page.goto(path)
                if page.evaluate("document.documentElement.scrollWidth") > width:
                    found.append((name, width))
            page.context.close()
    assert found == []


BROKEN_VERSIONS = """() => {
  const found = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode())
    for (const version of texts.currentNode.textContent.matchAll(/\\d+(\\.\\d+)+/g)) {
      const range = document.createRange();
      range.setStart(texts.currentNode, version.index);
      range.setEnd(texts.currentNode, version.index + version[0].length);
      const lines = new Set([...range.getClientRects()].filter(box => box.width).map(box => Math.round(box.top)));
      if (lines.size > 1) found.push(texts.currentNode.textContent);
    }
  return found;
}"""


@pytest.mark.long
def test_no_line_breaks_inside_a_version(browser: Browser, address: str) -> None:
    found = {}
    for width in (1280, 1024, 768, 390):
        page = signed_in(browser, address, viewport={"width": width, "height": 900})
        for name, path in PAGES.items():
            page.goto(path)
            if broken := page.evaluate(BROKEN_VERSIONS):
                found[name, width] = broken[:3]
        page.context.close()
    assert found == {}


@pytest.mark.long
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(browser: Browser, address: str, scheme: str) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed: npm ci --prefix tools")
    found = {}
    for width in (1280, 400):
        size = {"width": width, "height": 900}
        page = signed_in(browser, address, viewport=size, color_scheme=scheme, bypass_csp=True)
        for name, path in PAGES.items():
            page.goto(path)
            if (wide := page.evaluate("document.documentElement.scrollWidth")) > width:
                found[name, width, "wide"] = wide
            page.evaluate(AXE.read_text(encoding="utf-8"))
            for violation in page.evaluate(f"axe.run(document, {RULES})")["violations"]:
                found[name, width, violation["id"]] = [node["html"][:120] for node in violation["nodes"][:3]]
        page.context.close()
    assert found == {}
