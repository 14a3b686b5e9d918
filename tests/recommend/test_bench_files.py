"""The bench's files: three forms of interactions, graphs, links; and what is said of a bad row."""

from pathlib import Path

import numpy as np
import pytest

from domain.errors import InvalidSource
from recommend.evaluate.cut import cut_validation
from recommend.evaluate.data import BenchData, bench_data
from recommend.evaluate.files import Part, read_links, read_part, read_ranks, read_triples


@pytest.fixture
def write(tmp_path: Path):
    def to(name: str, *lines: str) -> Path:
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n")
        return path

    return to


def pairs(part: Part) -> list[tuple[str, str]]:
    return list(zip(part.users.to_list(), part.items.to_list(), strict=True))


def test_the_three_forms_of_the_same_data_are_equal(write) -> None:
    tsv = write("a.tsv", "item_id\tx\tuser_id\trating", "01\t-\tu\t5", "b\t-\tu\t3.5", "b\t-\tv\t4")
    atomic = write("a.inter", "user_id:token\titem_id:token\trating:float", "u\t01\t5", "u\tb\t3.5", "v\tb\t4")
    lines = write("a.txt", "u 01 b", "v b")
    parts = [read_part(path) for path in (tsv, atomic, lines)]
    assert [pairs(part) for part in parts] == [[("u", "01"), ("u", "b"), ("v", "b")]] * 3
    assert parts[0].ratings is not None
    assert parts[1].ratings is not None
    assert parts[0].ratings.to_list() == parts[1].ratings.to_list() == [5, 3.5, 4]
    assert parts[2].ratings is None


def test_a_line_of_a_user_alone_names_a_user_without_items(write) -> None:
    part = read_part(write("a.txt", "u 1 2", "v", "w 3"))
    assert part.named_users.to_list() == ["u", "v", "w"]
    assert len(part) == 3


def test_times_in_seconds_and_in_milliseconds_are_the_same(write) -> None:
    header = "user_id\titem_id\ttimestamp"
    seconds = read_part(write("s.tsv", header, "u\ta\t874965478"))
    milliseconds = read_part(write("m.tsv", header, "u\ta\t874965478000"))
    assert seconds.at is not None
    assert milliseconds.at is not None
    assert seconds.at.to_list() == milliseconds.at.to_list() == [874965478000]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["user_id,item_id", "u,a"], r"a.tsv, line 1: .*separated by commas.*user_id<TAB>item_id"),
        (["user_id item_id", "u a"], r"a.tsv, line 1: .*not by tabs"),
        (["user\titem", "u\ta"], r"a.tsv, line 1: no column user_id; it has user, item"),
        (["user_id\titem_id", "u\ta", "u"], r"a.tsv, line 3: 1 fields, where there are 2 columns"),
        (["user_id\titem_id", "u\ta", "\tb"], r"a.tsv, line 3: user_id is empty"),
        (["user_id\titem_id\trating", "u\ta\tgood"], r"a.tsv, line 2: rating is 'good', which is no number"),
        (["user_id\titem_id\ttimestamp", "u\ta\t1", "u\tb\tnan"], r"a.tsv, line 3: timestamp is 'nan'"),
        (["user_id\titem_id"], r"a.tsv has a header and no rows"),
        (["1::1193::5", "1::661::3"], r"a.tsv holds no \(user, item\) pair"),
        (["", "u a"], r"a.tsv, line 1: it is empty"),
    ],
)
def test_a_bad_file_is_said_with_its_line_and_field(write, lines: list[str], said: str) -> None:
    with pytest.raises(InvalidSource, match=said):
        read_part(write("a.tsv", *lines))


def test_a_missing_file_and_one_that_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(InvalidSource, match="no file"):
        read_part(tmp_path / "none.tsv")
    (tmp_path / "b").write_bytes(b"user_id\titem_id\n\xff\xfe")
    with pytest.raises(InvalidSource, match="b is no UTF-8 text"):
        read_part(tmp_path / "b")


def test_triples_with_and_without_a_header_and_links(write) -> None:
    expected = [("1", "by", "x")]
    for lines in (["1\tby\tx"], ["head\trelation\ttail", "1\tby\tx"]):
        assert read_triples(write("kg.tsv", *lines)).rows() == expected
    atomic = write("a.kg", "tail_id:token\thead_id:token\trelation_id:token", "x\t1\tby")
    assert read_triples(atomic).rows() == expected
    assert read_links(write("a.link", "item_id:token\tentity_id:token", "i\t1")).rows() == [("i", "1")]
    with pytest.raises(InvalidSource, match="2 fields; a graph has the three columns"):
        read_triples(write("kg.tsv", "1\tby"))
    with pytest.raises(InvalidSource, match="no column entity_id"):
        read_links(write("a.link", "item_id\tid", "i\t1"))
    with pytest.raises(InvalidSource, match="no column rank"):
        read_ranks(write("r.tsv", "user_id\titem_id", "u\ta"))


@pytest.fixture
def data(write) -> BenchData:
    header = "user_id\titem_id\ttimestamp"
    train = write("train", header, "u\ta\t1", "u\tb\t2", "u\tc\t3", "v\ta\t5")
    valid = write("valid", header, "v\tb\t6")
    test = write("test", "new new-item", "u d")
    kg = write("kg", "A\tby\tx", "B\tby\tx", "y\tmade\tA", "x\tin\tz", "A\tlike\tB", "q\tby\tq")
    link = write("link", "item_id\tentity_id", "a\tA", "b\tB")
    parts = [read_part(path) for path in (train, valid, test)]
    return bench_data(*parts, triples=read_triples(kg), links=read_links(link))


def test_lists_are_for_the_users_of_the_test_file_and_leave_out_what_they_had(data: BenchData) -> None:
    users, items = data.train.user_ids.tolist(), data.train.item_ids.tolist()
    assert users == ["new", "u", "v"]
    assert items == ["a", "b", "c", "d", "new-item"]
    assert [users[row] for row in data.target_rows] == ["new", "u"]
    assert data.left_out.toarray().tolist() == [[0, 0, 0, 0, 0], [1, 1, 1, 0, 0], [1, 1, 0, 0, 0]]
    assert len(data.train.interactions) == 4
    assert data.valid is not None
    assert data.valid.toarray()[2].tolist() == [0, 1, 0, 0, 0]


def test_the_test_part_gives_nothing_but_ids(data: BenchData) -> None:
    assert data.left_out[0].nnz == 0
    assert 0 not in data.train.interactions.user_rows


def test_triples_are_attributes_of_the_items_in_both_directions(data: BenchData) -> None:
    snapshot = data.train
    keys = [str(entity_id).removeprefix("Thing:") for entity_id in snapshot.entity_ids]
    found = {
        relation.type: [
            (snapshot.item_ids[head] if relation.head_kind == "item" else keys[head], keys[tail])
            for head, tail in zip(relation.heads, relation.tails, strict=True)
        ]
        for relation in snapshot.relations
    }
    assert found == {
        "BY": [("a", "x"), ("b", "x")],
        "IN_BETWEEN_THINGS": [("x", "z")],
        "LIKE": [("a", "B"), ("b", "B")],  # a is like b, and both have the attribute "like b"
        "LIKE_OF": [("a", "A"), ("b", "A")],
        "MADE_OF": [("a", "y")],
    }
    snapshot.declaration.check()


def test_the_newest_of_a_user_are_held_out_where_there_are_times(data: BenchData) -> None:
    problem = cut_validation(data.train, seed=0)
    assert problem.targets.toarray().tolist() == [[0] * 5, [0, 0, 1, 0, 0], [0] * 5]  # v has one item: left whole
    assert problem.fit.interactions.item_rows.tolist() == [0, 1, 0]


def test_without_times_the_seed_decides(write) -> None:
    part = read_part(write("t", *(f"u{user} " + " ".join(map(str, range(20))) for user in range(30))))
    data = bench_data(part, None, None)
    assert data.target_rows.tolist() == list(range(30))  # all users, by id
    cuts = [cut_validation(data.train, seed=seed).targets for seed in (0, 0, 1)]
    assert (cuts[0] != cuts[1]).nnz == 0
    assert (cuts[0] != cuts[2]).nnz > 0
    assert np.diff(cuts[0].indptr).tolist() == [2] * 30
