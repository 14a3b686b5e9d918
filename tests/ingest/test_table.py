"""The example shop of the documentation, and what happens when its files or mapping are wrong."""

import shutil
from pathlib import Path

import polars as pl
import pytest

from domain.errors import ClewError, InvalidMapping, InvalidSource
from domain.progress import Silent
from domain.tables import Dataset
from ingest.report import count
from ingest.sources.table import read
from tests.ingest.conftest import SHOP

BERLIN_WINTER_10_15 = 1_709_370_900_000  # 2024-03-02T09:15:00Z


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHOP, tmp_path / "shop"))


def load(shop: Path, rejected) -> Dataset:
    return read(shop / "mapping.toml", rejected, Silent())


def pairs(dataset: Dataset, name: str) -> set[tuple[str, str]]:
    table = next(table for table in dataset.relations if table.type == name)
    return set(zip(table.heads, table.tails, strict=True))


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_the_example_shop_loads_whole(shop: Path, rejected) -> None:
    dataset = load(shop, rejected)
    assert count(dataset) == {"users": 8, "items": 12, "entities": 18, "relations": 55, "events": 22}
    assert rejected.lines == []


def test_ids_are_text_and_properties_have_their_types(shop: Path, rejected) -> None:
    items = load(shop, rejected).items
    assert items.ids[:2].tolist() == ["0101", "0102"]
    assert items.properties["price"].tolist()[:2] == [349.0, 199.0]
    assert items.properties["price"].tolist()[-1] is None
    assert items.properties["available"].tolist() == [True] * 5 + [False] + [True] * 6
    assert items.properties["name"].tolist()[9] == "Rocking chair; oak"
    assert items.properties["created_at"].tolist()[0] == 1_704_841_200_000  # 2024-01-10 00:00 in Berlin


def test_events_have_the_shops_times_and_words(shop: Path, rejected) -> None:
    events = load(shop, rejected).events
    first = (events.user_ids[0], events.item_ids[0], events.kinds[0], events.values[0], events.at[0])
    assert first == ("ada", "0101", "purchase", 1.0, BERLIN_WINTER_10_15)
    assert events.session_ids is not None
    assert events.session_ids[0] == "A-1"
    clicks = {event: (kind, at) for event, kind, at in zip(events.event_ids, events.kinds, events.at, strict=True)}
    assert clicks["c1"] == ("view", 1_709_370_000_000)
    assert clicks["c3"][0] == "like"
    assert clicks["c8"][0] == "gift"


def test_relations_from_lists_entities_profiles_and_people(shop: Path, rejected) -> None:
    dataset = load(shop, rejected)
    assert {pair for pair in pairs(dataset, "HAS_TOPIC") if pair[0] == "0101"} == {
        ("0101", "Topic:wood"),
        ("0101", "Topic:office"),
    }
    assert pairs(dataset, "PART_OF") == {
        (f"Category:{part}", "Category:furniture") for part in ("desks", "chairs", "shelves")
    }
    assert ("cem", "AgeBand:25-34") in pairs(dataset, "IN_AGE_BAND")
    assert pairs(dataset, "FOLLOWS") == {("ben", "ada"), ("cem", "ada"), ("eva", "ben")}
    categories = next(table for table in dataset.entities if table.label == "Category")
    assert dict(zip(categories.ids, categories.properties["name"], strict=True))["Category:paper"] == "Paper goods"


def test_the_declaration_has_the_mappings_words_and_sensible_ones_elsewhere(shop: Path, rejected) -> None:
    declaration = load(shop, rejected).declaration
    relations = {kind.type: kind for kind in declaration.relation_types}
    assert (relations["MADE_BY"].same, relations["MADE_BY"].phrase) == ("maker", "made by")
    assert (relations["IN_AGE_BAND"].same, relations["IN_AGE_BAND"].phrase) == ("age band", "in age band")
    kinds = {kind.name: kind for kind in declaration.event_kinds}
    assert (kinds["gift"].weight, kinds["gift"].repeat) == (0.4, "count")
    assert (kinds["view"].weight, kinds["view"].verb) == (0.2, "viewed")
    assert [kept.sensitive for kept in declaration.user_properties] == [True]


def test_bad_rows_are_named_by_file_line_and_column_and_the_rest_loads(shop: Path, rejected) -> None:
    with (shop / "orders.csv").open("a") as file:
        file.write(",0101,1,2024-06-01 10:00\n")  # line 16: a field is missing
        file.write("A-11,,0101,1,2024-06-01 10:00\n")  # line 17
        file.write("A-11,ada,9999,1,2024-06-01 10:00\n")  # line 18
        file.write("A-11,ada,0101,one,2024-06-01 10:00\n")  # line 19
        file.write("A-11,ada,0101,1,yesterday\n")  # line 20
        file.write("A-12,ada,0102,1,2024-06-01 10:00\n")  # line 21: good
    with (shop / "clicks.jsonl").open("a") as file:
        file.write('{"id": "c9", "visitor": "ada", "sku": "0101", "action": "dance", "ts": 1717300000000}\n')
        file.write('{"id": "c1", "visitor": "ada", "sku": "0101", "action": "page", "ts": 1717300000000}\n')
        file.write('{"id": "c10", "visitor": 1.5, "sku": "0101", "action": "page", "ts": 1717300000000}\n')
        file.write("{broken\n")
    with (shop / "products.csv").open("a") as file:
        file.write("0113;Lamp;red;cheap;yes;;lamps;;Lumen\n0101;Again;;;;;desks;;\n0114;Rug;;;;;rugs;;\n")
    dataset = load(shop, rejected)
    assert sorted(rejected.lines) == [
        ("clicks.jsonl", 9, "action"),
        ("clicks.jsonl", 10, "id"),
        ("clicks.jsonl", 11, "visitor"),
        ("clicks.jsonl", 12, ""),
        ("orders.csv", 16, ""),
        ("orders.csv", 17, "customer"),
        ("orders.csv", 18, "sku"),
        ("orders.csv", 19, "quantity"),
        ("orders.csv", 20, "ordered_at"),
        ("products.csv", 14, "price (EUR)"),
        ("products.csv", 15, "sku"),
        ("products.csv", 16, "category"),
    ]
    assert len(dataset.events) == 23
    assert "0114" in dataset.items.ids


def test_integers_of_json_are_ids_and_lists_are_several_values(tmp_path: Path, rejected) -> None:
    (tmp_path / "items.jsonl").write_text('{"id": 7, "tags": ["a", "b"]}\n{"id": "8", "tags": "c"}\n{"id": 9}\n')
    (tmp_path / "events.jsonl").write_text('{"u": 1, "i": 7, "t": "2024-03-01T12:00:00Z"}\n')
    (tmp_path / "m.toml").write_text(
        '[source]\nname="s"\n'
        '[[items]]\nfile="items.jsonl"\nid="id"\n'
        '[[events]]\nfile="events.jsonl"\nuser="u"\nitem="i"\nat="t"\nkind="view"\n'
        '[[relations]]\ntype="HAS_TAG"\nfile="items.jsonl"\nhead="id"\ntail="tags"\ntail_label="Tag"\n'
    )
    dataset = read(tmp_path / "m.toml", rejected, Silent())
    assert dataset.items.ids.tolist() == ["7", "8", "9"]
    assert dataset.users.ids.tolist() == ["1"]
    assert pairs(dataset, "HAS_TAG") == {("7", "Tag:a"), ("7", "Tag:b"), ("8", "Tag:c")}


def test_parquet_is_read_with_its_own_types(shop: Path, rejected) -> None:
    expected = load(shop, rejected).events
    orders = pl.read_csv(shop / "orders.csv", infer_schema_length=0).with_columns(pl.col("quantity").cast(pl.Int64))
    orders.write_parquet(shop / "orders.parquet")
    replace(shop / "mapping.toml", 'file = "orders.csv"', 'file = "orders.parquet"')
    events = load(shop, rejected).events
    assert events.event_ids.tolist() == expected.event_ids.tolist()
    assert events.values[:14].tolist() == expected.values[:14].tolist()


def test_float_ids_in_parquet_are_refused(shop: Path, rejected) -> None:
    orders = pl.read_csv(shop / "orders.csv", infer_schema_length=0).with_columns(sku=pl.lit(101.0))
    orders.write_parquet(shop / "orders.parquet")
    replace(shop / "mapping.toml", 'file = "orders.csv"', 'file = "orders.parquet"')
    with pytest.raises(InvalidSource, match="the id column sku is Float64"):
        load(shop, rejected)


def test_the_same_rows_in_another_order_have_the_same_event_ids(shop: Path, rejected) -> None:
    first = set(load(shop, rejected).events.event_ids)
    header, *rows = (shop / "orders.csv").read_text().splitlines()
    (shop / "orders.csv").write_text("\n".join([header, *reversed(rows)]) + "\n")
    assert set(load(shop, rejected).events.event_ids) == first


def test_users_may_be_required_to_be_known(shop: Path, rejected) -> None:
    replace(shop / "mapping.toml", 'unknown_users = "create"', 'unknown_users = "reject"')
    dataset = load(shop, rejected)
    assert "hana" not in dataset.users.ids
    assert rejected.lines == [("clicks.jsonl", 6, "visitor"), ("clicks.jsonl", 7, "visitor")]


MAPPING_ERRORS = [
    ("[source]", "[sauce]", "there is no key sauce"),
    ('id = "sku"', 'ident = "sku"', "items number 1: there is no key ident"),
    ('user = "customer"\n', "", "events number 1: the key user is missing"),
    ('kind = "purchase"', 'kind = "barter"', "the kind 'barter' is not declared"),
    ('kind = "purchase"\n', "", "give either kind"),
    ('time_zone = "Europe/Berlin"', 'time_zone = "Mars/Base"', "no time zone 'Mars/Base'"),
    ('type = "PART_OF"', 'type = "PART OF"', "must be letters, digits and _"),
    ('type = "PART_OF"', 'type = "IN_CATEGORY"', "give one of them another type"),
    ('label = "Category"', 'label = "Model"', "Clew's own"),
    ('column = "price (EUR)", name = "price"', 'column = "price (EUR)"', "the property name 'price (EUR)'"),
    ("[relation_types.MADE_BY]", "[relation_types.MADE_IN]", "no [[relations]] table has this type"),
    ('file = "products.csv"', "file = 7", "file"),
    ("[source]", "[source", "is not TOML"),
]


@pytest.mark.parametrize(("old", "new", "says"), MAPPING_ERRORS)
def test_a_wrong_mapping_says_file_key_and_what_to_do(shop: Path, rejected, old: str, new: str, says: str) -> None:
    path = shop / "mapping.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InvalidMapping) as caught:
        load(shop, rejected)
    assert "mapping.toml" in caught.value.message
    assert says in caught.value.message
    assert caught.value.field


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('file = "orders.csv"', 'file = "order.csv"', "order.csv"),
        ('value = "quantity"', 'value = "amount"', "orders.csv has no column 'amount'; it has: order_no, customer"),
        ('item = "sku"\nat = "ts"', 'item = "article"\nat = "ts"', "clicks.jsonl has no field 'article'; it has: id"),
        ('delimiter = ";"', 'delimiter = ","', "products.csv"),
        ('file = "follows.csv"', 'file = "follows.xlsx"', "format"),
    ],
)
def test_a_wrong_file_or_column_is_named_with_those_there_are(
    shop: Path, rejected, old: str, new: str, says: str
) -> None:
    replace(shop / "mapping.toml", old, new)
    with pytest.raises(InvalidSource) as caught:
        load(shop, rejected)
    assert says in caught.value.message


def test_a_file_without_one_usable_row_names_its_first_fault(shop: Path, rejected) -> None:
    replace(shop / "mapping.toml", 'at = "ordered_at"', 'at = "order_no"')
    with pytest.raises(InvalidSource, match=r"none of the 14 rows of orders\.csv can be used; line 2, order_no"):
        load(shop, rejected)


def test_a_mapping_that_is_not_there_is_named(tmp_path: Path, rejected) -> None:
    with pytest.raises(ClewError, match=r"no mapping file .*nothing\.toml"):
        read(tmp_path / "nothing.toml", rejected, Silent())


@pytest.fixture
def one_file(tmp_path: Path) -> Path:
    (tmp_path / "m.toml").write_text(
        '[source]\nname = "s"\ntime_zone = "UTC"\n'
        '[[events]]\nfile = "e.jsonl"\nuser = "u"\nitem = "i"\nat = "t"\nkind = "view"\nsession = "s"\n'
    )
    return tmp_path


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ('{"u": {"x": 1}, "i": "a", "t": "2024-01-01", "s": "1"}', "u"),
        ('{"u": "a", "i": ["a"], "t": "2024-01-01", "s": "1"}', "i"),
        ('{"u": "a", "i": true, "t": "2024-01-01", "s": "1"}', "i"),
        ('{"u": "a", "i": 1.0, "t": "2024-01-01", "s": "1"}', "i"),
        ('{"u": "a", "i": "a", "t": [1], "s": "1"}', "t"),
        ('{"u": "a", "i": "a", "t": null, "s": "1"}', "t"),
        ('{"u": "a", "i": "a", "t": true, "s": "1"}', "t"),
        ('{"u": "a", "i": "a", "t": 1e99, "s": "1"}', "t"),
        ('{"u": "\\ud800", "i": "a", "t": "2024-01-01", "s": "1"}', ""),
        ('{"u": "a\\u0000", "i": "a", "t": "2024-01-01", "s": "1"}', "u"),
        ("[1, 2]", ""),
        ('{"u": "a", "i": "a", "t": "2024-01-01", "s": ""}', "s"),
    ],
)
def test_a_json_row_of_any_shape_costs_itself_alone(one_file: Path, rejected, row: str, field: str) -> None:
    good = '{"u": "a", "i": "b", "t": "2024-01-01", "s": null}'
    (one_file / "e.jsonl").write_text(f"{row}\n{good}\n")
    assert read(one_file / "m.toml", rejected, Silent()).events.item_ids.tolist() == ["b"]
    assert rejected.lines == [("e.jsonl", 1, field)]


@pytest.mark.parametrize(
    ("key", "says"),
    [('encoding = "utf-99"', "no encoding 'utf-99'"), ('delimiter = "||"', "the delimiter must be one character")],
)
def test_ways_to_read_a_file_that_do_not_exist_are_refused(one_file: Path, rejected, key: str, says: str) -> None:
    with (one_file / "m.toml").open("a") as file:
        file.write(f"{key}\n")
    with pytest.raises(InvalidMapping, match=says.replace("|", r"\|")):
        read(one_file / "m.toml", rejected, Silent())


def test_a_column_may_have_any_name(one_file: Path, rejected) -> None:
    (one_file / "e.csv").write_text("line,u,i,t,s\n9,a,b,2024-01-01,1\n")
    replace(one_file / "m.toml", 'file = "e.jsonl"', 'file = "e.csv"\nkey = ["line"]')
    assert len(read(one_file / "m.toml", rejected, Silent()).events) == 1


def test_loading_with_a_huge_number_of_bad_rows_stays_fast(one_file: Path, rejected) -> None:
    (one_file / "e.csv").write_text("u,i,t,s\n" + '"a,b,c\n' * 20_000 + "a,b,2024-01-01,1\n")
    replace(one_file / "m.toml", 'file = "e.jsonl"', 'file = "e.csv"')
    assert len(read(one_file / "m.toml", rejected, Silent()).events) == 1
    assert rejected.total == 20_000
