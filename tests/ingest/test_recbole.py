"""RecBole's atomic files, on a folder of seven films written by hand."""

from pathlib import Path

import pytest

from domain.errors import InvalidSource
from domain.progress import Silent
from domain.tables import Dataset, RelationTable
from ingest.sources.recbole import read

FILES = {
    "tiny.inter": (
        "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
        "u1\t01\t5\t1000\n"
        "u1\t02\t3\t2000\n"
        "u2\t01\t4\t3000\n"
        "u2\t99\t1\t3000\n"  # in no .item file
        "u3\t01\tgood\t3000\n"
        "\t01\t5\t3000\n"
        "u3\t01\t5\n"
    ),
    "tiny.item": (
        "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
        "01\tPostino, Il\t1994\tDrama Romance\n"
        "02\tGodfather, The\t1972\tDrama\n"
        "03\tGodfather: Part II, The\tV\tunknown\n"
    ),
    "tiny.user": (
        "user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token\n"
        "u1\t17\tF\twriter\t01067\n"
        "u2\t45\tM\twriter\t85711\n"
        "u9\t56\tM\tartist\t1\n"
    ),
    "tiny.link": "item_id:token\tentity_id:token\n01\tm.1\n02\tm.2\n03\tm.3\n77\tm.7\n",
    "tiny.kg": (
        "head_id:token\trelation_id:token\ttail_id:token\n"
        "m.2\tfilm.film.directed_by\tm.coppola\n"
        "m.coppola\tfilm.director.film\tm.2\n"  # the same fact from the other side
        "m.coppola\tfilm.director.film\tm.3\n"
        "m.2\tfilm.film.sequel\tm.3\n"
        "m.3\tfilm.film.prequel\tm.2\n"
        "m.3\tfilm.film.prequel\tm.8\n"
        "m.1\tfilm.film.actor\tm.neruda\n"
        "m.2\tfilm.film.award_won\tm.oscar\n"
        "m.2\tfilm.film.colour\tm.sepia\n"
    ),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def relation(dataset: Dataset, name: str) -> RelationTable:
    return next(table for table in dataset.relations if table.type == name)


def pairs(dataset: Dataset, name: str) -> list[tuple[str, str]]:
    table = relation(dataset, name)
    return sorted(zip(table.heads.tolist(), table.tails.tolist(), strict=True))


def test_good_ratings_load_and_bad_rows_are_named(folder: Path, rejected) -> None:
    events = read(folder, rejected, Silent()).events
    rows = zip(events.user_ids, events.item_ids, events.kinds, events.values, events.at, strict=True)
    assert list(rows) == [
        ("u1", "01", "rate", 5.0, 1_000_000),
        ("u1", "02", "rate", 3.0, 2_000_000),
        ("u2", "01", "rate", 4.0, 3_000_000),
        ("u2", "99", "rate", 1.0, 3_000_000),
    ]
    in_events = [(row.line, row.field) for row in rejected.rows if row.source == "tiny.inter"]
    assert sorted(in_events) == [(6, "rating"), (7, "user_id"), (8, "")]


def test_items_have_spoken_titles_and_those_of_events_alone_are_named_by_their_id(folder: Path, rejected) -> None:
    items = read(folder, rejected, Silent()).items
    assert dict(zip(items.ids, items.properties["name"], strict=True)) == {
        "01": "Il Postino",
        "02": "The Godfather",
        "03": "The Godfather: Part II",
        "99": "99",
    }
    assert items.properties["item_kind"].tolist() == ["movie"] * 4
    assert items.properties["year"].tolist() == [1994, 1972, None, None]


def test_an_odd_year_is_written_down_and_the_item_is_kept(folder: Path, rejected) -> None:
    dataset = read(folder, rejected, Silent())
    assert pairs(dataset, "FROM_YEAR") == [("01", "Year:1994"), ("02", "Year:1972")]
    assert pairs(dataset, "FROM_DECADE") == [("01", "Decade:1990s"), ("02", "Decade:1970s")]
    assert ("tiny.item", 4, "release_year") in rejected.lines


def test_genres_are_named_and_unknown_is_none(folder: Path, rejected) -> None:
    dataset = read(folder, rejected, Silent())
    assert pairs(dataset, "HAS_GENRE") == [("01", "Genre:Drama"), ("01", "Genre:Romance"), ("02", "Genre:Drama")]


def test_both_directions_of_a_freebase_fact_are_one_relation(folder: Path, rejected) -> None:
    dataset = read(folder, rejected, Silent())
    assert pairs(dataset, "DIRECTED_BY") == [("02", "Person:m.coppola"), ("03", "Person:m.coppola")]
    assert pairs(dataset, "SEQUEL_OF") == [("03", "02")]
    assert pairs(dataset, "ACTED_BY") == [("01", "Person:m.neruda")]
    assert pairs(dataset, "WON") == [("02", "Award:m.oscar")]


def test_a_relation_outside_the_film_table_keeps_its_name(folder: Path, rejected) -> None:
    assert pairs(read(folder, rejected, Silent()), "COLOUR") == [("02", "Thing:m.sepia")]


def test_links_and_facts_of_films_that_are_no_items_are_rejected(folder: Path, rejected) -> None:
    read(folder, rejected, Silent())
    assert ("tiny.link", 5, "item_id") in rejected.lines
    assert ("tiny.kg", 7, "other") in rejected.lines


def test_users_have_age_bands_and_occupations_and_the_rest_is_sensitive(folder: Path, rejected) -> None:
    dataset = read(folder, rejected, Silent())
    assert pairs(dataset, "IN_AGE_BAND") == [
        ("u1", "AgeBand:under 18"),
        ("u2", "AgeBand:45-49"),
        ("u9", "AgeBand:56+"),
    ]
    assert pairs(dataset, "HAS_OCCUPATION")[0] == ("u1", "Occupation:writer")
    assert {kept.name: kept.sensitive for kept in dataset.declaration.user_properties} == {
        "gender": True,
        "zip_code": True,
    }
    assert dataset.users.properties["zip_code"].tolist() == ["01067", "85711", "1"]


def test_counts_are_no_ratings(tmp_path: Path, rejected) -> None:
    (tmp_path / "plays.inter").write_text("user_id:token\titem_id:token\trating:float\nu\ti\t1363.0\n")
    dataset = read(tmp_path, rejected, Silent())
    assert dataset.events.kinds.tolist() == ["take"]
    assert dataset.events.at.tolist() == [0]


def test_ten_stars_double_the_steps(tmp_path: Path, rejected) -> None:
    (tmp_path / "books.inter").write_text("user_id:token\titem_id:token\trating:float\nu\ti\t9\n")
    declaration = read(tmp_path, rejected, Silent()).declaration
    assert declaration.event_kinds[0].steps == ((10.0, 1.0), (8.0, 0.8))


def test_a_graph_of_another_kind_keeps_its_words(tmp_path: Path, rejected) -> None:
    (tmp_path / "m.inter").write_text("user_id:token\titem_id:token\nu\ta\n")
    (tmp_path / "m.link").write_text("item_id:token\tentity_id:token\na\t1\nb\t2\n")
    (tmp_path / "m.kg").write_text(
        "head_id:token\trelation_id:token\ttail_id:token\n"
        "1\tmusic.artist.origin\t5\n"
        "7\tfilm.actor.film\t2\n"
        "1\tmusic.artist.label\t2\n"
        "5\tlocation.location.contained_by\t9\n"
        "1\ttype.object.key\t1\n"
    )
    dataset = read(tmp_path, rejected, Silent())
    assert dataset.items.ids.tolist() == ["a", "b"]
    assert pairs(dataset, "ORIGIN") == [("a", "Thing:5")]
    assert pairs(dataset, "ACTOR") == [("b", "Thing:7")]
    assert pairs(dataset, "LABEL") == [("a", "b")]
    assert pairs(dataset, "CONTAINED_BY") == [("Thing:5", "Thing:9")]
    assert rejected.lines == [("m.kg", 6, "tail_id")]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "no .inter file"),
        ({"a.inter": "user_id\titem_id\nu\ti\n"}, "must be name:type"),
        ({"a.inter": "user:token\titem_id:token\nu\ti\n"}, "no column user_id; it has: user, item_id"),
        ({"a.inter": "user_id:token\titem_id:token\n.\ti\n"}, "none of the rows of a.inter can be used"),
        ({"a.inter": FILES["tiny.inter"], "a.kg": FILES["tiny.kg"]}, "needs a .link file"),
        ({"a.inter": FILES["tiny.inter"], "a.item": FILES["tiny.item"], "b.item": "x"}, "several .item files"),
    ],
)
def test_folders_that_cannot_be_used_say_why(tmp_path: Path, rejected, files: dict[str, str], says: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(InvalidSource) as caught:
        read(tmp_path, rejected, Silent())
    assert says in caught.value.message
