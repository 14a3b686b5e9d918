"""A MovieLens folder, on three films written by hand, and on the real one where it is there."""

from pathlib import Path

import pytest

from domain.errors import InvalidSource
from domain.progress import Silent
from domain.tables import Dataset
from ingest.report import count
from ingest.sources.movielens import read

REAL = Path(__file__).parents[3] / "shared" / "data" / "movielens-small-people"
FILES = {
    "movies.csv": (
        "movieId,title,genres\n"
        '1,"Usual Suspects, The (1995)",Crime|Thriller\n'
        "2,Fawlty Towers (1975-1979),Comedy\n"
        "3,Hyena Road,(no genres listed)\n"
    ),
    "ratings.csv": "userId,movieId,rating,timestamp\n7,1,4.5,1000\n7,9,2,1001\n8,1,x,1002\n",
    "movies_people.csv": "movieId,released,title,actors,director,genres,imdbRating\n"
    "1,,,Kevin Spacey|Benicio Del Toro,Bryan Singer,,\n",
    "tags.csv": "userId,movieId,tag,timestamp\n7,1,Twist,5\n8,1,twist,6\n8,55,lost,6\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def found(dataset: Dataset) -> dict[str, list[tuple[str, str]]]:
    return {table.type: list(zip(table.heads, table.tails, strict=True)) for table in dataset.relations}


def test_films_people_and_tags(folder: Path, rejected) -> None:
    dataset = read(folder, rejected, Silent())
    assert dict(zip(dataset.items.ids, dataset.items.properties["name"], strict=True)) == {
        "1": "The Usual Suspects",
        "2": "Fawlty Towers",
        "3": "Hyena Road",
        "9": "9",
    }
    assert found(dataset) == {
        "HAS_GENRE": [("1", "Genre:Crime"), ("1", "Genre:Thriller"), ("2", "Genre:Comedy")],
        "FROM_YEAR": [("1", "Year:1995"), ("2", "Year:1975")],
        "FROM_DECADE": [("1", "Decade:1990s"), ("2", "Decade:1970s")],
        "ACTED_BY": [("1", "Person:Kevin Spacey"), ("1", "Person:Benicio Del Toro")],
        "DIRECTED_BY": [("1", "Person:Bryan Singer")],
        "HAS_TAG": [("1", "Tag:twist")],
    }
    assert sorted(rejected.lines) == [("ratings.csv", 4, "rating"), ("tags.csv", 4, "movieId")]


def test_named_triples_go_before_the_people_file(folder: Path, rejected) -> None:
    (folder / "kg_triples_named.csv").write_text(
        "movieId,relation,entity\n1,ACTED_BY,Kevin Pollak\n1,IN_GENRE,Crime\n1,HAS_KEYWORD,usual suspect\n1,LIKED,x\n"
    )
    dataset = read(folder, rejected, Silent())
    assert found(dataset)["ACTED_BY"] == [("1", "Person:Kevin Pollak")]
    assert found(dataset)["HAS_KEYWORD"] == [("1", "Keyword:usual suspect")]
    assert ("kg_triples_named.csv", 5, "relation") in rejected.lines


def test_without_ratings_there_is_no_data_set(folder: Path, rejected) -> None:
    (folder / "ratings.csv").unlink()
    with pytest.raises(InvalidSource, match=r"ratings\.csv"):
        read(folder, rejected, Silent())


def test_the_real_folder_has_its_known_counts(rejected) -> None:
    if not REAL.is_dir():
        pytest.skip(f"needs ../shared/data/{REAL.name}")
    dataset = read(REAL, rejected, Silent())
    assert count(dataset)["users"] == 671
    assert count(dataset)["items"] == 9125
    assert count(dataset)["events"] == 100_004
    sizes = {table.type: len(table.heads) for table in dataset.relations}
    assert (sizes["ACTED_BY"], sizes["HAS_GENRE"], sizes["HAS_KEYWORD"]) == (35_494, 20_322, 16_977)
    assert rejected.total == 0
