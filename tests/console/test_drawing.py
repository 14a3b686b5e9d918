"""The pictures, read as text."""

from console.drawing import path_graph, reason_list, score_bars
from domain.answers import Part, Path, PathEdge, PathNode, Reason

YOU = PathNode(label="User", id="ann", name=None)
PULP = PathNode(label="Item", id="pulp", name="Pulp Fiction")
DOGS = PathNode(label="Item", id="dogs", name="Reservoir Dogs")
SOMEBODY = PathNode(label="Person", id="Person:p1", name=None)


def reason(state: str = "stored", share: float = 0.25, text: str = "Same director as Pulp Fiction") -> Reason:
    edges = (
        PathEdge(type="INTERACTED", start="ann", end="pulp", kind="rate", at="2026-01-01T00:00:00Z", state="stored"),
        PathEdge(type="DIRECTED_BY", start="pulp", end="Person:p1", state=state),
        PathEdge(type="DIRECTED_BY", start="dogs", end="Person:p1", state=state),
    )
    path = Path(nodes=(YOU, PULP, SOMEBODY, DOGS), edges=edges, verified=state == "stored")
    return Reason(code="same_entity", text=text, share=share, path=path)


def test_two_paths_share_the_nodes_that_they_have_in_common() -> None:
    drawn = path_graph([reason(), reason(text="again")])
    assert drawn.count("<rect") == 4
    assert drawn.count('class="thread"') == 6


def test_only_what_was_not_confirmed_is_dashed() -> None:
    assert path_graph([reason()]).count("stroke-dasharray") == 0
    assert path_graph([reason("pending")]).count("stroke-dasharray") == 2


def test_an_entity_without_a_name_is_told_by_its_relation() -> None:
    drawn = path_graph([reason()])
    assert "DIRECTED BY" in drawn
    assert "same person" in drawn


def test_without_a_path_nothing_is_drawn() -> None:
    assert path_graph([Reason(code="taste", text="Fits", share=1.0, path=None)]) == ""


def test_bars_run_from_one_zero_line_to_both_sides() -> None:
    drawn = score_bars([Part(name="entity", value=3.0, share=1.0), Part(name="popularity", value=-1.0, share=0.0)], 2.0)
    assert "left:25.00%;width:75.00%" in drawn  # 3 of a span of 4, from the zero at a quarter
    assert "left:0.00%;width:25.00%" in drawn
    assert ">2.00<" in drawn


def test_reasons_that_read_alike_are_told_once_with_both_shares() -> None:
    told = reason_list([reason(share=0.25), reason(share=0.1)], 5)
    assert told.count("<li>") == 1
    assert "35%" in told


def test_reasons_that_outweigh_another_together_stand_before_it() -> None:
    told = reason_list([reason(share=0.3, text="A"), reason(share=0.2, text="B"), reason(share=0.2, text="B")], 2)
    assert told.index("40%") < told.index("30%")


def test_what_the_api_says_is_escaped() -> None:
    assert "<b>" not in reason_list([reason(text="<b>bold</b>")], 5)
