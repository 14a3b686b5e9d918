"""The editor of rules, in Chromium: every field there and back, two people at once, and what was changed when."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.api.conftest import Live
from tests.console.conftest import Console

pytestmark = pytest.mark.timeout(180)

EVERYTHING: dict[str, Any] = {
    "description": "all there is",
    "author": "mia",
    "enabled": False,
    "priority": 7,
    "validity": {"from": "2026-11-01T08:30:15.250000Z", "until": "2099-01-01T00:00:00Z"},
    "condition": {
        "placements": ["home", "cart"],
        "segments": ["new", "regular"],
        "profile": {"country": ["NL", "45", 45.0, True]},
        "entities": ["Genre:crime"],
        "queries": ["space opera", "one, two"],
        "context_items": ["pulp"],
        "context_entities": ["Director:tarantino"],
        "times": {
            "zone": "Europe/Amsterdam",
            "from": "2026-12-01T09:00:30",
            "until": "2027-01-01T00:00",
            "weekdays": ["fri", "sat"],
            "hours": ["22:00", "02:00:30"],
        },
    },
    "consequence": {
        "effect": "boost",
        "factor": 2.5,
        "target": {
            "item_ids": ["alien", "blade"],
            "path": ["DIRECTED_BY", "DIRECTED_BY"],
            "to": "pulp",
            "filter": {
                "and": [
                    {"field": "year", "op": "ge", "value": 1980},
                    {"not": {"field": "id", "op": "eq", "value": "x"}},
                ]
            },
        },
    },
}


@pytest.fixture
def clean(api: Live) -> Iterator[None]:
    """No rule is left behind."""
    yield
    for one in api.client.get("/v1/rules").json()["rules"]:
        api.client.delete(f"/v1/rules/{one['rule_id']}")


@pytest.fixture
def stored(api: Live, clean: None) -> dict[str, Any]:
    """The rule as the API has it."""
    answer = api.client.put("/v1/rules/all", json=EVERYTHING)
    assert answer.is_success, answer.text
    return answer.json()


def opened(page: Page, console: Console) -> Locator:
    page.goto(f"{console.url}/rules?id=all")
    expect(page.get_by_role("heading", name="Rule all")).to_be_visible()
    expect(page.get_by_label("Name of the rule")).to_have_value("all")
    return page.locator("section", has=page.get_by_role("heading", name="Rule all"))


def saved(page: Page, api: Live) -> dict[str, Any]:
    page.get_by_role("button", name="Save rule").click()
    expect(page.get_by_text(re.compile("Saved as version|Nothing was changed"))).to_be_visible()
    return api.client.get("/v1/rules/all").json()


def test_a_rule_that_is_saved_as_it_was_is_no_new_version(
    page: Page, console: Console, api: Live, stored: dict[str, Any]
) -> None:
    opened(page, console)
    again = saved(page, api)
    assert (again["rule"], again["version"]) == (stored["rule"], stored["version"])
    expect(page.get_by_text("Nothing was changed.")).to_be_visible()


def fill(label: str, value: str) -> Callable[[Page], None]:
    return lambda page: page.get_by_label(label, exact=False).first.fill(value)


def pick(label: str, text: str) -> Callable[[Page], None]:
    def act(page: Page) -> None:
        page.get_by_label(label, exact=True).fill(text)
        page.locator(".pick .name", has_text=text).first.click()

    return act


def drop(name: str) -> Callable[[Page], None]:
    return lambda page: page.get_by_role("button", name=f"Remove {name}", exact=True).first.click()


def choose(label: str, option: str) -> Callable[[Page], None]:
    def act(page: Page) -> None:
        page.get_by_label(label, exact=True).click()
        page.get_by_role("option", name=option).first.click()
        page.keyboard.press("Escape")

    return act


def seek(label: str, option: str) -> Callable[[Page], None]:
    def act(page: Page) -> None:
        page.get_by_label(label, exact=True).fill(option)
        page.get_by_role("option", name=option).click()

    return act


CHANGES: dict[str, tuple[Callable[[Page], None], tuple[str, ...], object]] = {
    "description": (fill("What it is for", "new"), ("description",), "new"),
    "author": (fill("Who thought of it", "ned"), ("author",), "ned"),
    "priority": (fill("Priority", "9"), ("priority",), 9),
    "enabled": (lambda page: page.get_by_text("Switched on").click(), ("enabled",), None),
    "from": (fill("Valid from", "2026-11-02T09:00"), ("validity", "from"), "2026-11-02T09:00:00Z"),
    "until": (fill("Valid until", ""), ("validity", "until"), None),
    "placements": (fill("Only at placements", "home\nmail"), ("condition", "placements"), ["home", "mail"]),
    "segments": (choose("Who are", "Heavy"), ("condition", "segments"), ["new", "regular", "heavy"]),
    "profile": (fill("is one of", 'BE\n7\n"7"'), ("condition", "profile"), {"country": ["BE", 7, "7"]}),
    "entities": (pick("Who like", "science fiction"), ("condition", "entities"), ["Genre:crime", "Genre:scifi"]),
    "queries": (fill("Only for searches", "robots"), ("condition", "queries"), ["robots"]),
    "context item": (pick("Looking at an item", "Heat"), ("condition", "context_items"), ["pulp", "heat"]),
    "context entity": (drop("Quentin Tarantino"), ("condition", "context_entities"), None),
    "zone": (seek("Time zone", "Asia/Tokyo"), ("condition", "times", "zone"), "Asia/Tokyo"),
    "local from": (fill("From, local", "2026-12-02T10:00"), ("condition", "times", "from"), "2026-12-02T10:00"),
    "local until": (fill("Until, local", ""), ("condition", "times", "until"), None),
    "weekdays": (choose("On", "Monday"), ("condition", "times", "weekdays"), ["fri", "sat", "mon"]),
    "hours": (fill("Each day from", "21:00"), ("condition", "times", "hours"), ["21:00", "02:00:30"]),
    "factor": (fill("How strongly", "4"), ("consequence", "factor"), 4.0),
    "items": (pick("These items", "Heat"), ("consequence", "target", "item_ids"), ["alien", "blade", "heat"]),
    "second relation": (
        choose("and then by", "HAS_GENRE"),
        ("consequence", "target", "path"),
        ["DIRECTED_BY", "HAS_GENRE"],
    ),
    "end of the path": (pick("or to an item", "Alien"), ("consequence", "target", "to"), "alien"),
    "filter": (
        fill("and whose fields are so", '{"field": "year", "op": "lt", "value": 2000}'),
        ("consequence", "target", "filter"),
        {"field": "year", "op": "lt", "value": 2000},
    ),
}


def test_a_field_that_is_changed_leaves_all_others_as_they_were(
    page: Page, console: Console, api: Live, stored: dict[str, Any]
) -> None:
    """Every field, five at a time."""
    opened(page, console)
    expected, version, changes = stored["rule"], stored["version"], list(CHANGES)
    for some in (changes[at : at + 5] for at in range(0, len(changes), 5)):
        for act, place, value in map(CHANGES.__getitem__, some):
            parent = expected
            for part in place[:-1]:
                parent = parent[part]
            if value is None:
                del parent[place[-1]]
            else:
                parent[place[-1]] = value
            act(page)
        page.get_by_role("button", name="Save rule").click()
        expect(page.get_by_text(f"Saved as version {version + 1}.")).to_be_visible()
        now = api.client.get("/v1/rules/all").json()
        assert (some, now["rule"]) == (some, expected)
        version = now["version"]


def test_a_target_stays_when_another_effect_is_chosen(page: Page, console: Console) -> None:
    page.goto(f"{console.url}/rules")
    pick("These items", "Heat")(page)
    chip = page.get_by_role("button", name="Remove Heat")
    expect(chip).to_be_visible()
    choose("What it does", "Pin")(page)
    expect(chip).to_be_hidden()
    choose("What it does", "Hide")(page)
    expect(chip).to_be_visible()


@pytest.mark.parametrize(
    ("effect", "fields", "consequence"),
    [
        ("Pin", [pick("Which item", "Heat"), fill("At place", "2")], {"item_id": "heat", "position": 2}),
        ("Bury", [pick("These items", "Heat")], {"factor": 2.0, "target": {"item_ids": ["heat"]}}),
        (
            "Hide",
            [pick("Items that lead to an entity", "Quentin Tarantino")],
            {"target": {"path": ["DIRECTED_BY"], "to": "Director:tarantino"}},
        ),
        ("At most", [choose("Of each entity of the type", "Director")], {"entity_type": "Director", "most": 3}),
        ("At least", [pick("Of which entity", "crime")], {"entity_id": "Genre:crime", "share": 0.2}),
    ],
)
def test_every_effect_is_made_with_its_own_fields(
    page: Page, console: Console, api: Live, effect: str, fields: list[Callable[[Page], None]], consequence: object
) -> None:
    page.goto(f"{console.url}/rules")
    page.get_by_label("Name of the rule").fill("made")
    choose("What it does", effect)(page)
    for act in fields:
        act(page)
    if effect == "Hide":
        expect(page.get_by_label("by the relation")).to_have_value(re.compile("DIRECTED_BY"))
    page.get_by_role("button", name="Save rule").click()
    expect(page.get_by_text("Saved as version")).to_be_visible()
    rule = api.client.get("/v1/rules/made").json()["rule"]["consequence"]
    assert {name: value for name, value in rule.items() if name != "effect"} == consequence
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No rule yet")).to_be_visible()


def compared(place: int, field: str, how: str, with_: str) -> Callable[[Page], None]:
    """Fills one more row of a filter, the place-th."""

    def act(page: Page) -> None:
        page.get_by_role("button", name="+ a field of the item").click()
        row = page.locator(".triple").nth(place)
        for label, option in (("whose", field), ("how", how)):
            row.get_by_label(label, exact=True).click()
            page.get_by_role("option", name=option, exact=True).click()
        if with_:
            row.get_by_label("this").fill(with_)

    return act


YEARS = {"field": "year", "op": "ge", "value": 1980}
KIND = {"field": "item_kind", "op": "in", "value": ["movie", "45"]}
KNOWN = {"field": "year", "op": "exists", "value": False}


@pytest.mark.usefixtures("clean")
def test_fields_of_items_are_compared_without_writing_json(page: Page, console: Console, api: Live) -> None:
    """Row by row: one comparison by itself, several as all of them, and one taken away again."""
    page.goto(f"{console.url}/rules")
    page.get_by_label("Name of the rule").fill("all")
    rows = [("year", "is at least", "1980"), ("item_kind", "is one of", 'movie\n"45"'), ("year", "is not known", "")]
    targets = [YEARS, {"and": [YEARS, KIND]}, {"and": [YEARS, KIND, KNOWN]}]
    before = 0
    for place, (row, expected) in enumerate(zip(rows, targets, strict=True)):
        compared(place, *row)(page)
        page.get_by_role("button", name="Save rule").click()
        said = f"Saved as version {before + 1}." if before else "Saved as version"
        expect(page.get_by_text(said)).to_be_visible()
        now = api.client.get("/v1/rules/all").json()
        assert now["rule"]["consequence"]["target"] == {"filter": expected}
        before = now["version"]
    opened(page, console)
    expect(page.locator(".triple")).to_have_count(3)
    page.get_by_role("button", name="Save rule").click()
    expect(page.get_by_text("Nothing was changed.")).to_be_visible()
    page.get_by_role("button", name="Remove the field").nth(1).click()
    page.get_by_role("button", name="a filter in JSON").click()
    text = page.get_by_label("and whose fields are so")
    assert json.loads(text.input_value()) == {"and": [YEARS, KNOWN]}
    text.fill(json.dumps({"not": YEARS}))
    page.get_by_role("button", name="Save rule").click()
    expect(page.get_by_text(f"Saved as version {before + 1}.")).to_be_visible()
    assert api.client.get("/v1/rules/all").json()["rule"]["consequence"]["target"] == {"filter": {"not": YEARS}}


@pytest.mark.parametrize(
    "values", [[], [" spaced "], [""], ["two\nlines"], [None]], ids=["none", "spaces", "empty", "lines", "null"]
)
@pytest.mark.usefixtures("clean")
def test_a_filter_that_rows_would_change_is_shown_in_json_and_stays(
    page: Page, console: Console, api: Live, values: list[object]
) -> None:
    target = {"filter": {"field": "item_kind", "op": "in", "value": values}}
    rule = {"consequence": {"effect": "bury", "factor": 2.0, "target": target}}
    assert api.client.put("/v1/rules/all", json=rule).is_success
    opened(page, console)
    expect(page.get_by_label("and whose fields are so")).to_be_visible()
    assert saved(page, api)["rule"]["consequence"]["target"] == target


@pytest.mark.usefixtures("clean")
def test_a_number_becomes_a_truth_where_that_is_entered(page: Page, console: Console, api: Live) -> None:
    target = {"filter": {"field": "year", "op": "eq", "value": 1}}
    rule = {"consequence": {"effect": "bury", "factor": 2.0, "target": target}}
    assert api.client.put("/v1/rules/all", json=rule).is_success
    opened(page, console)
    page.get_by_label("this").fill("true")
    stored = saved(page, api)["rule"]["consequence"]["target"]["filter"]["value"]
    assert stored is True


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (("year", "is below", ""), "Say which field of the item, and what it is compared with"),
        (("year", "is", "1980\n1990"), "“is” compares with one value; choose “is one of” for several"),
    ],
)
def test_a_comparison_that_cannot_be_is_said(
    page: Page, console: Console, api: Live, row: tuple[str, str, str], said: str
) -> None:
    page.goto(f"{console.url}/rules")
    page.get_by_label("Name of the rule").fill("all")
    compared(0, *row)(page)
    page.get_by_role("button", name="Save rule").click()
    expect(page.get_by_role("alert").first).to_contain_text(said)
    assert api.client.get("/v1/rules/all").status_code == 404


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (fill("and whose fields are so", "{year"), "The filter is not JSON"),
        (drop("Pulp Fiction"), "Say where the relation leads"),
        (fill("to before", ""), "Say from when to when each day"),
        (fill("is one of", ""), "Say which property of the user, and its values"),
        (fill("Valid until", "2020-01-01T00:00"), "a rule is valid from before until"),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_stored(
    page: Page, console: Console, api: Live, stored: dict[str, Any], act: Callable[[Page], None], said: str
) -> None:
    editor = opened(page, console)
    act(page)
    page.get_by_role("button", name="Save rule").click()
    expect(editor.get_by_role("alert")).to_contain_text(said)
    assert api.client.get("/v1/rules/all").json() == stored


def test_a_rule_that_somebody_else_changed_is_not_overwritten_but_can_be_reloaded(
    page: Page, console: Console, api: Live, stored: dict[str, Any]
) -> None:
    editor = opened(page, console)
    theirs = EVERYTHING | {"description": "theirs"}
    api.client.put("/v1/rules/all", json=theirs)
    page.get_by_label("What it is for").fill("mine")
    page.get_by_role("button", name="Save rule").click()
    expect(editor.get_by_role("alert")).to_contain_text("It was changed meanwhile")
    page.get_by_role("button", name="Delete").click()
    expect(editor.get_by_role("alert")).to_contain_text("It was changed meanwhile")
    assert api.client.get("/v1/rules/all").json()["rule"]["description"] == "theirs"
    page.get_by_role("button", name="Reload the rule").click()
    expect(page.get_by_label("What it is for")).to_have_value("theirs")
    page.get_by_label("What it is for").fill("both")
    assert saved(page, api)["rule"]["description"] == "both"


def test_a_new_rule_does_not_take_the_name_of_another(
    page: Page, console: Console, api: Live, stored: dict[str, Any]
) -> None:
    page.goto(f"{console.url}/rules")
    page.get_by_label("Name of the rule").fill("all")
    pick("These items", "Heat")(page)
    page.get_by_role("button", name="Save rule").click()
    expect(page.get_by_role("alert").first).to_contain_text("There is a rule of this name already")
    assert api.client.get("/v1/rules/all").json() == stored


def test_the_history_says_what_was_changed_and_brings_a_version_back(
    page: Page, console: Console, api: Live, stored: dict[str, Any]
) -> None:
    api.client.put("/v1/rules/all", json=EVERYTHING | {"priority": 8})
    opened(page, console)
    page.get_by_role("button", name="History").click()
    expect(page.locator(".version").first).to_contain_text("priority: 7 → 8")
    page.locator(".version").nth(1).get_by_role("button", name="Bring back").click()
    expect(page.get_by_label("Priority")).to_have_value("7")
    assert saved(page, api)["rule"] == stored["rule"]


def test_a_conflict_and_a_pin_that_is_out_of_stock_are_said_before_anything_is_saved(
    page: Page, console: Console, api: Live, stored: dict[str, Any]
) -> None:
    hide = {"consequence": {"effect": "hide", "target": {"item_ids": ["armageddon"]}}}
    api.client.put("/v1/rules/gone", json=hide)
    page.goto(f"{console.url}/rules")
    choose("What it does", "Pin")(page)
    pick("Which item", "Armageddon")(page)
    page.get_by_role("button", name="Preview").click()
    preview = page.locator("section", has=page.get_by_role("heading", name="Before and after"))
    expect(preview).to_contain_text("armageddon is not available; it is pinned when it is")
    expect(preview).to_contain_text("rule gone (hide) and this one (pin) disagree over 1 items; hiding counts")
    api.client.delete("/v1/rules/gone")
    page.get_by_role("button", name="Preview").click()
    expect(preview).to_contain_text("armageddon is pinned to place 1, but is not available")


def test_a_preview_asks_as_the_rule_does_and_of_whom_one_likes(
    page: Page, console: Console, api: Live, stored: dict[str, Any]
) -> None:
    pin = {"consequence": {"effect": "pin", "item_id": "heat", "position": 1}}
    later = {"condition": {"placements": ["mail"]}, "validity": {"from": "2099-01-01T00:00:00Z"}}
    api.client.put("/v1/rules/all", json=pin | later)
    opened(page, console)
    page.get_by_text("Try it on").click()
    pick("Lists of these users", "cid")(page)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("shown at mail · as of 2099-01-01T00:00:00+00:00")).to_be_visible()
    expect(page.get_by_text("User cid")).to_be_visible()
    expect(page.locator("table").nth(1).locator("tr").nth(1)).to_contain_text("Heat")
