"""The Complete Journey's files, on a shop of six products written by hand."""

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from domain.errors import InvalidSource
from domain.progress import Silent
from ingest.sources.retail import read
from ingest.sources.retail_names import in_words

PRODUCTS = pl.DataFrame(
    {
        "product_id": [1, 2, 3, 4, 5, 6],
        "manufacturer_id": [69, 2, 2, 2, 2, 7],
        "department": ["PRODUCE", "GROCERY", "FUEL", "MISCELLANEOUS", "COUPON", "CHEF SHOPPE"],
        "brand": ["Private", "National", "National", "National", "National", "National"],
        "product_category": ["VEGETABLES", "FRZN ICE", "FUEL", None, "COUPON", None],
        "product_type": ["CUCUMBERS", "ICE - CRUSHED/CUBED", "GAS", None, "COUPON", None],
        "package_size": [None, "22 LB", None, None, None, "281451 3 PK"],
    }
)
AT = datetime(2017, 3, 1, 12)
TRANSACTIONS = pl.DataFrame(
    {
        "household_id": [900, 900, 900, 901, 901, 902],
        "basket_id": [10, 10, 10, 11, 11, 12],
        "product_id": [1, 1, 2, 1, 3, 6],
        "quantity": [2, 1, 1, 0, 5000, 3],
        "transaction_timestamp": [AT] * 6,
    }
)
DEMOGRAPHICS = pl.DataFrame(
    {
        "household_id": [900, 950],
        "age": ["35-44", "65+"],
        "income": ["50-74K", "Under 15K"],
        "household_size": ["2", "1"],
        "kids_count": ["0", "0"],
        "marital_status": ["Married", None],
        "home_ownership": [None, "Renter"],
    }
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, frame in (("products", PRODUCTS), ("transactions", TRANSACTIONS), ("demographics", DEMOGRAPHICS)):
        frame.write_parquet(tmp_path / f"{name}.parquet")
    return tmp_path


def test_purchases_of_kept_departments_load_and_nothing_bought_is_rejected(folder: Path, rejected) -> None:
    events = read(folder, rejected, Silent()).events
    rows = list(zip(events.user_ids, events.item_ids, events.values, events.session_ids, strict=True))
    assert rows == [("900", "1", 2.0, "10"), ("900", "1", 1.0, "10"), ("900", "2", 1.0, "10"), ("902", "6", 3.0, "12")]
    assert set(events.kinds) == {"purchase"}
    assert set(events.at) == {1_488_369_600_000}  # 2017-03-01T12:00:00Z
    assert len(set(events.event_ids)) == 4
    assert [(row.line, row.reason) for row in rejected.rows] == [(4, "a quantity of 0 is no purchase")]


def test_products_have_readable_names(folder: Path, rejected) -> None:
    items = read(folder, rejected, Silent()).items
    assert dict(zip(items.ids, items.properties["name"], strict=True)) == {
        "1": "Cucumbers (own brand)",
        "2": "Ice - crushed/cubed, 22 lb",
        "6": "Chef's shop",
    }
    assert set(items.properties["item_kind"]) == {"product"}


def test_the_product_tree_is_relations(folder: Path, rejected) -> None:
    dataset = read(folder, rejected, Silent())
    found = {
        table.type: list(zip(table.heads, table.tails, strict=True))
        for table in dataset.relations
        if table.head_label != "User"
    }
    assert found == {
        "OF_TYPE": [("1", "ProductType:CUCUMBERS"), ("2", "ProductType:ICE - CRUSHED/CUBED")],
        "IN_CATEGORY": [("1", "Category:VEGETABLES"), ("2", "Category:FRZN ICE")],
        "IN_DEPARTMENT": [("1", "Department:PRODUCE"), ("2", "Department:GROCERY"), ("6", "Department:CHEF SHOPPE")],
        "MADE_BY": [("1", "Manufacturer:69"), ("2", "Manufacturer:2"), ("6", "Manufacturer:7")],
        "OF_BRAND": [("1", "BrandKind:Private"), ("2", "BrandKind:National"), ("6", "BrandKind:National")],
        "TYPE_IN_CATEGORY": [
            ("ProductType:CUCUMBERS", "Category:VEGETABLES"),
            ("ProductType:ICE - CRUSHED/CUBED", "Category:FRZN ICE"),
        ],
        "CATEGORY_IN_DEPARTMENT": [
            ("Category:VEGETABLES", "Department:PRODUCE"),
            ("Category:FRZN ICE", "Department:GROCERY"),
        ],
    }


def test_demographics_are_a_static_profile_with_income_and_marriage_sensitive(folder: Path, rejected) -> None:
    dataset = read(folder, rejected, Silent())
    assert sorted(dataset.users.ids) == ["900", "902", "950"]
    sensitive = {kind.type for kind in dataset.declaration.relation_types if kind.sensitive}
    assert sensitive == {"IN_INCOME_BAND", "HAS_MARITAL_STATUS"}
    married = next(table for table in dataset.relations if table.type == "HAS_MARITAL_STATUS")
    assert list(zip(married.heads, married.tails, strict=True)) == [("900", "MaritalStatus:Married")]


@pytest.mark.parametrize(
    ("shorthand", "words"),
    [
        ("CUCUMBERS", "Cucumbers"),
        ("SFT DRNK MLT-PK BTL CARB (EXCP", "Soft drink multi-pack bottle carbonated"),
        ("FRZN ICE", "Frozen ice"),
        ("MISC. OTC MEDICINES", "Other OTC medicines"),
        ("PUDDING&GELATIN CUPS/CANS", "Pudding & gelatin cups/cans"),
        ("(CUT", "(cut"),
        ("", ""),
    ],
)
def test_shorthand_in_words(shorthand: str, words: str) -> None:
    assert in_words(shorthand) == words


def test_a_missing_file_or_column_is_named(folder: Path, rejected) -> None:
    TRANSACTIONS.drop("basket_id").write_parquet(folder / "transactions.parquet")
    with pytest.raises(InvalidSource, match="basket_id"):
        read(folder, rejected, Silent())
    (folder / "products.parquet").write_text("no parquet")
    with pytest.raises(InvalidSource, match=r"products\.parquet is no Parquet file"):
        read(folder, rejected, Silent())
    (folder / "products.parquet").unlink()
    with pytest.raises(InvalidSource, match="no file"):
        read(folder, rejected, Silent())
