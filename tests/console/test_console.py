"""What a merchandiser does on the console, done in Chromium."""

import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from api.keys import new_key
from tests.api.conftest import Live, running
from tests.console.conftest import Console, started
from tests.ports import free_port

pytestmark = pytest.mark.timeout(180)


def test_a_list_comes_with_reasons_its_paths_drawn_and_its_score_split(page: Page, console: Console, api: Live) -> None:
    ranked = api.client.post("/v1/recommendations", json={"user_id": "ann"}).json()["items"]
    first = ranked[0]
    page.goto(f"{console.url}/?user=ann")
    expect(page.locator(".item .title").first).to_have_text(first["name"])
    assert page.locator(".item").count() == len(ranked)
    expect(page.get_by_role("heading", name=f"Why {first['name']}")).to_be_visible()
    expect(page.locator("svg.graph .node.end .name").last).to_have_text(first["name"])
    assert page.locator("svg.graph path.thread").count() >= 3  # you - item - entity - item
    parts = [float(text) for text in page.locator(".bars .value:not(.sum)").all_inner_texts()]
    assert sum(parts) == pytest.approx(first["score"], abs=0.02)  # each is rounded to a hundredth
    expect(page.locator(".bars .value.sum")).to_have_text(f"{first['score']:.2f}")


def test_another_item_is_explained_when_it_is_clicked_and_the_address_keeps_it(page: Page, console: Console) -> None:
    page.goto(f"{console.url}/?user=ann")
    second = page.locator(".item").nth(1)
    name = second.locator(".title").inner_text()
    second.click()
    expect(page.get_by_role("heading", name=f"Why {name}")).to_be_visible()
    expect(second).to_have_attribute("aria-current", "true")
    page.reload()
    expect(page.get_by_role("heading", name=f"Why {name}")).to_be_visible()


def test_a_user_is_found_and_a_list_walked_with_the_keyboard_alone(page: Page, console: Console) -> None:
    page.goto(console.url)
    expect(page.get_by_text("Whose list would you like to see?")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("ann")
    expect(page.locator(".pick .name")).to_have_text(["ann"])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="For ann")).to_be_visible()
    page.locator(".item").first.focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator(".item").nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".item").nth(1)).to_have_attribute("aria-current", "true")


def test_the_profile_tells_what_is_known(page: Page, console: Console) -> None:
    page.goto(f"{console.url}/?user=ann")
    expect(page.locator(".facts").first).to_contain_text("8 on 6 items")
    expect(page.locator(".lines").last).to_contain_text("Thelma & Louise")


def test_somebody_made_up_of_tastes_gets_a_list_that_follows_them(page: Page, console: Console) -> None:
    page.goto(console.url)
    page.get_by_role("button", name="Tastes").click()
    page.get_by_label("They like …").fill("tarantino")
    page.locator(".pick", has_text="Quentin Tarantino").click()
    expect(page.locator(".item .why").first).to_contain_text("Quentin Tarantino, one of the tastes you stated")
    page.get_by_role("button", name="Remove Quentin Tarantino").click()
    expect(page.get_by_text("Whose list would you like to see?")).to_be_visible()


def test_the_score_of_somebody_made_up_is_split_and_explained(page: Page, console: Console, api: Live) -> None:
    body = {"preferences": [{"entity_id": "Director:tarantino"}]}
    first = api.client.post("/v1/recommendations", json=body).json()["items"][0]
    page.goto(f"{console.url}/?taste=Director:tarantino")
    expect(page.get_by_role("button", name="Remove Quentin Tarantino")).to_be_visible()
    expect(page.get_by_role("heading", name=f"Why {first['name']}")).to_be_visible()
    expect(page.locator(".bars .value.sum")).to_have_text(f"{first['score']:.2f}")
    expect(page.locator("svg.graph .node.end .name").last).to_have_text(first["name"])


def test_a_visitor_is_told_what_would_bring_an_item_in_and_it_does(page: Page, console: Console, api: Live) -> None:
    page.goto(console.url)
    page.get_by_role("button", name="A visitor").click()
    page.get_by_label("They just picked").fill("alien")
    page.locator(".pick", has_text="Alien").click()
    expect(page.get_by_role("heading", name="For this visitor")).to_be_visible()
    expect(page.locator(".bars .value.sum")).to_be_visible()
    told = api.client.post("/v1/items/jackie/why-not", json={"session": ["alien"]}).json()
    page.get_by_label("Why is something not here?").fill("jackie")
    page.locator(".pick", has_text="Jackie Brown").click()
    expect(page.get_by_role("heading", name="Why not Jackie Brown")).to_be_visible()
    expect(page.get_by_text(told["text"])).to_be_visible()
    page.get_by_role("button", name=re.compile(r"Try .*")).first.click()
    expect(page.locator(".item", has_text="Jackie Brown")).to_be_visible()
    assert page.url.count("pick=") == 2
    page.reload()
    expect(page.locator(".item", has_text="Jackie Brown")).to_be_visible()


def test_why_not_says_what_kept_an_item_out(page: Page, console: Console, api: Live) -> None:
    told = api.client.get("/v1/users/ann/items/armageddon/why-not").json()["text"]
    page.goto(f"{console.url}/?user=ann")
    page.get_by_label("Why is something not here?").fill("armag")
    page.locator(".pick", has_text="Armageddon").click()
    expect(page.get_by_role("heading", name="Why not Armageddon")).to_be_visible()
    expect(page.get_by_text(told)).to_be_visible()


def test_a_rule_is_tried_saved_seen_in_a_list_and_deleted(page: Page, console: Console, api: Live) -> None:
    last = api.client.post("/v1/recommendations", json={"user_id": "ann"}).json()["items"][-1]
    page.goto(f"{console.url}/rules")
    expect(page.get_by_text("No rule yet")).to_be_visible()
    page.get_by_role("button", name="Save rule").click()
    expect(page.get_by_role("alert")).to_have_text("Give the rule a name.")
    page.get_by_label("Name of the rule").fill("push it")
    page.get_by_label("These items").fill(last["name"])
    page.locator(".pick .name", has_text=re.compile(f"^{re.escape(last['name'])}$")).click()
    page.get_by_label("How strongly").fill("1000")
    page.get_by_text("When", exact=True).click()
    page.get_by_label("Valid until").fill("2099-12-31T00:00")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", name="Before and after")).to_be_visible()
    assert api.client.get("/v1/rules").json()["rules"] == []  # nothing is stored by trying
    page.get_by_role("button", name="Save rule").click()
    expect(page.get_by_text("Saved as version")).to_be_visible()
    (stored,) = api.client.get("/v1/rules").json()["rules"]
    assert stored["rule"]["consequence"]["target"]["item_ids"] == [last["item_id"]]
    assert stored["rule"]["validity"] == {"until": "2099-12-31T00:00:00Z"}
    page.goto(f"{console.url}/?user=ann")
    expect(page.locator(".item").first).to_contain_text("boost")
    expect(page.locator(".item .title").first).to_contain_text(last["name"])
    page.goto(f"{console.url}/rules?id=push%20it")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No rule yet")).to_be_visible()


def test_a_list_is_asked_as_a_place_of_the_shop_or_a_search_would(page: Page, console: Console, api: Live) -> None:
    pin = {"effect": "pin", "item_id": "diehard", "position": 1}
    api.client.put("/v1/rules/mails", json={"condition": {"placements": ["mail"]}, "consequence": pin})
    page.goto(f"{console.url}/?user=ann")
    first = page.locator(".item .title").first
    expect(first).to_be_visible()
    expect(first).not_to_contain_text("Die Hard")
    page.get_by_label("Shown at").fill("mail")
    page.keyboard.press("Enter")
    expect(first).to_contain_text("Die Hard")
    assert "placement=mail" in page.url
    page.reload()
    expect(first).to_contain_text("Die Hard")
    expect(page.get_by_label("Shown at")).to_have_value("mail")
    api.client.delete("/v1/rules/mails")
    page.get_by_label("Shown at").fill("")
    page.get_by_label("Searched for").fill("kill")
    page.keyboard.press("Enter")
    expect(page.locator(".item .title")).to_have_text(["Kill Bill 2"])
    expect(page.get_by_role("heading", name="Why Kill Bill 2")).to_be_visible()
    assert page.url.endswith("?user=ann&query=kill&item=kill2")


def test_an_answer_is_followed_to_its_ledger(page: Page, console: Console) -> None:
    page.goto(f"{console.url}/?user=ann")
    first = page.locator(".item .title").first.inner_text()
    page.get_by_role("link", name="how it came about").click()
    expect(page.get_by_role("heading", name="What ann got")).to_be_visible()
    expect(page.locator("table tbody tr").first).to_contain_text(first)
    page.goto(f"{console.url}/answers?id=no-such-answer")
    expect(page.get_by_role("alert")).to_contain_text("Not found")


def test_the_catalogue_page_shows_the_figures_of_the_api(page: Page, console: Console, api: Live) -> None:
    found = api.client.get("/v1/catalogue/health").json()
    page.goto(f"{console.url}/catalogue")
    expect(page.locator(".figure b").first).to_have_text(f"{found['coverage']:.0%}")
    expect(page.get_by_text("Quentin Tarantino · Director")).to_be_visible()
    expect(page.get_by_text("Untitled").first).to_be_visible()  # the item without any relation


def test_an_unknown_user_is_said_to_be_unknown(page: Page, console: Console) -> None:
    page.goto(f"{console.url}/?user=nobody")
    expect(page.get_by_text("Nobody is called “nobody”")).to_be_visible()


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/", "busiest users:"),
        ("/?user=ann", "The score, split"),
        ("/?pick=alien&item=jackie", "What would bring it in"),
        ("/rules", "Save rule"),
        ("/answers", "Newest"),
        ("/catalogue", "Hubs"),
    ],
)
def test_every_page_fits_on_a_small_laptop(page: Page, console: Console, path: str, shown: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto(console.url + path)
    expect(page.get_by_text(shown, exact=True).first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 1280


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_follow_the_system_and_can_be_read(chromium: Browser, console: Console, scheme: str) -> None:
    context = chromium.new_context(color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{console.url}/?user=ann")
    expect(page.locator(".bars .value.sum")).to_be_visible()
    for place in (".item .title", ".item .why", ".bars .value", ".node .name", ".quiet", ".top nav a"):
        assert page.evaluate(CONTRAST, place) >= 4.5, place  # WCAG 2.2, 1.4.3
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(246, 244, 239)"
    assert dark == (scheme == "dark")
    context.close()


CONTRAST = """place => {
  const element = document.querySelector(place), style = getComputedStyle(element);
  const bright = colour => colour.match(/[0-9.]+/g).slice(0, 3).map(v => v / 255)
    .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, at) => sum + v * [.2126, .7152, .0722][at], 0);
  let under = element;
  const isClear = colour => colour === "transparent" || colour.endsWith(", 0)");
  while (isClear(getComputedStyle(under).backgroundColor)) under = under.parentElement;
  const ink = style.fill && element.closest("svg") ? style.fill : style.color;
  const [low, high] = [bright(ink), bright(getComputedStyle(under).backgroundColor)].sort((a, b) => a - b);
  return (high + .05) / (low + .05);
}"""


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/?user=ann", ["A user", "Tastes", "A visitor", "User id", "how it came about", "Why is something not here?"]),
        ("/rules", ["New rule", "Find a rule", "Name of the rule", "What it does", "Preview", "Save rule"]),
        ("/answers", ["Id of an answer", "Open"]),
    ],
)
def test_every_action_is_reached_with_tab_and_the_focus_is_seen(
    page: Page, console: Console, path: str, names: list[str]
) -> None:
    page.goto(console.url + path)
    expect(page.get_by_text(names[-1], exact=True).first).to_be_visible()
    reached: list[str] = []
    while len(reached) < 60 and not any(names[-1] in one for one in reached):
        page.keyboard.press("Tab")
        name, is_seen = page.evaluate(FOCUSED)
        assert is_seen, name
        reached.append(name)
    for name in names:
        assert any(name in one for one in reached), (name, reached)


FOCUSED = """() => {
  const at = document.activeElement;
  const label = at.labels && at.labels.length && at.labels[0].innerText;
  const name = at.getAttribute("aria-label") || label || at.innerText;
  const field = at.closest(".q-field--focused");
  const outlined = [at, ...at.querySelectorAll("*")].map(one => getComputedStyle(one))
    .some(style => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0);
  return [name || at.tagName, at === document.body || !!field || outlined];
}"""


def test_slash_goes_to_the_search_of_the_page_or_to_that_of_the_lists(page: Page, console: Console) -> None:
    for path, label in (("/rules", "Find a rule"), ("/answers", "Id of an answer"), ("/catalogue", "User id")):
        page.goto(console.url + path)
        page.wait_for_load_state("networkidle")
        page.keyboard.press("/")
        expect(page.get_by_label(label)).to_be_focused()


def test_what_is_clicked_says_at_once_that_it_works(page: Page, console: Console, api: Live) -> None:
    page.goto(f"{console.url}/?user=ann")
    expect(page.locator(".bars")).to_be_visible()
    page.evaluate(WATCH)
    page.locator(".item").nth(1).click()
    expect(page.locator(".item").nth(1)).to_have_attribute("aria-current", "true")
    page.wait_for_function("window.busySeen")


WATCH = """() => new MutationObserver(() => { if (document.querySelector(".busy")) window.busySeen = true; })
  .observe(document.body, { subtree: true, attributes: true, childList: true })"""


def test_names_are_text_and_never_markup(page: Page, console: Console) -> None:
    page.goto(f"{console.url}/?user=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E")
    expect(page.get_by_text("Nobody is called “<img src=x onerror=alert(1)>”")).to_be_visible()


def test_every_page_says_what_to_do_when_the_api_is_away_and_ctrl_c_ends_it(page: Page, tmp_path: Path) -> None:
    alone = started(tmp_path, f"http://127.0.0.1:{free_port()}")
    for path in ("/?user=ann", "/rules", "/answers", "/catalogue"):
        page.goto(alone.url + path)
        expect(page.get_by_role("alert").first).to_contain_text("Start it with clew serve")
    alone.process.send_signal(signal.SIGINT)
    assert alone.process.wait(timeout=30) == 0


def test_without_a_key_the_page_says_how_to_get_one_and_with_it_works(
    page: Page, start: Callable[..., Console], api: Live
) -> None:
    key, known = new_key("console", "read")
    with running(replace(api.services, keys=(known,))) as guarded:
        page.goto(f"{start(guarded.url).url}/?user=ann")
        expect(page.get_by_role("alert").first).to_contain_text("CLEW_CONSOLE_KEY")
        page.goto(f"{start(guarded.url, key).url}/?user=ann")
        expect(page.get_by_role("heading", name="For ann")).to_be_visible()


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}])
def test_pages_of_others_are_refused(console: Console, headers: dict[str, str]) -> None:
    assert httpx.get(console.url, headers=headers).status_code == 403


def test_a_taken_port_is_named(tmp_path: Path, console: Console) -> None:
    port = console.url.rpartition(":")[2]
    second = subprocess.run(
        [sys.executable, "-m", "clew", "console"],
        env={"PATH": "", "CLEW_CONSOLE_PORT": port, "CLEW_HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (second.returncode, "CLEW_CONSOLE_PORT" in second.stderr) == (1, True)
