"""What every source of films has in common: genres, years, decades, and titles as people say them."""

import polars as pl

from domain.declarations import EntityType, RelationType
from ingest.sources.assemble import Assembly, entity_ids

GENRE = RelationType(
    type="HAS_GENRE", head="Item", tail="Genre", description="A genre of the item.", same="genre", phrase="of the genre"
)
YEAR = RelationType(
    type="FROM_YEAR", head="Item", tail="Year", description="The year it came out.", same="year", phrase="from"
)
DECADE = RelationType(
    type="FROM_DECADE",
    head="Item",
    tail="Decade",
    description="The decade it came out.",
    same="decade",
    phrase="from the",
)
GENRE_TYPE = EntityType(label="Genre", noun="genre", description="A genre, as the catalogue names them.")
YEAR_TYPES = (
    EntityType(label="Year", noun="year", description="A year in which items came out."),
    EntityType(label="Decade", noun="decade", description="Ten years in which items came out: the 1990s."),
)
NO_GENRE = ("unknown", "(no genres listed)")

_ARTICLES = "The|A|An|Il|La|Le|Les|Lo|El|Los|Las|Der|Die|Das|Den|Det|De|Un|Une|Une|O|Os|Il|I|Gli"


def spoken_title(title: pl.Expr) -> pl.Expr:
    """The title with its article in front: "Postino, Il" becomes "Il Postino"."""
    spaced = title.str.replace(rf"^(.+?), ({_ARTICLES})( \(.*)?$", "${2} ${1}${3}")
    return spaced.str.replace(r"^(.+?), (L')( \(.*)?$", "${2}${1}${3}")


def relate_years(assembly: Assembly, items: pl.DataFrame) -> None:
    """Years and decades of items (`id`, `year` Int64; null: not known)."""
    dated = items.drop_nulls("year").select(
        head="id", year=pl.col("year").cast(pl.String), decade=(pl.col("year") // 10 * 10).cast(pl.String) + "s"
    )
    for relation, column in ((YEAR, "year"), (DECADE, "decade")):
        relate_named(assembly, relation, dated, column)


def relate_named(assembly: Assembly, relation: RelationType, pairs: pl.DataFrame, column: str) -> None:
    """Relations from `head` to entities whose key and name are the column's text."""
    named = pairs.select("head", tail=entity_ids(relation.tail, column), name=column)
    assembly.relate(relation, named)
    assembly.describe(
        relation.tail, named.select(id="tail", name="name").unique("id", keep="first", maintain_order=True)
    )
