"""Reasons in two languages, and in a shop's own words."""

from pathlib import Path

import pytest

from domain.errors import InvalidRequest, InvalidSettings
from ingest.log import Log
from recommend.recommender import Recommender
from recommend.request import ExplainRequest, RecommendRequest
from recommend.wording import GAPS, wordings
from recommend.world import World
from tests.recommend.small_model import small_artifact


def told_in(recommender: Recommender, lang: str, item_id: str = "jackie") -> list[str]:
    request = ExplainRequest(user_id="ann", item_id=item_id, lang=lang)
    return [reason.text for reason in recommender.explain_fully(request).reasons]


def in_own_words(log: Log, path: Path, text: str) -> Recommender:
    path.write_text(text, encoding="utf-8")
    return Recommender(World(log, artifact=small_artifact()), None, texts=wordings(path))


def test_reasons_are_told_in_chinese(recommender: Recommender) -> None:
    assert told_in(recommender, "zh")[0] == "与您的3项（如您评为4分的「Kill Bill」）导演相同：Quentin Tarantino"
    assert told_in(recommender, "zh", "diehard")[0] == "7位选了「Pulp Fiction」的用户也选了它"
    item = recommender.recommend(RecommendRequest(user_id="fay", lang="zh", n=1)).items[0]
    assert item.reasons[0].text.endswith("由Quentin Tarantino执导，符合您表明的喜好")


def test_every_sentence_exists_in_every_language() -> None:
    for words in wordings().values():
        assert set(words.reasons) == set(GAPS)


def test_a_shop_words_one_relation_in_its_own_way(log: Log, tmp_path: Path) -> None:
    text = '[en.relations.DIRECTED_BY]\nsame_entities_named = "More by {name}, whom you like"\n'
    told = told_in(in_own_words(log, tmp_path / "texts.toml", text), "en")
    assert told[0] == "More by Quentin Tarantino, whom you like"
    assert told[1].startswith("Same genre as")


def test_a_shop_brings_a_language_and_the_rest_is_english(log: Log, tmp_path: Path) -> None:
    text = '[nl.relations.DIRECTED_BY]\nsame = "regisseur"\n[nl.events]\nrate = "een {value} gaf"\n'
    told = told_in(in_own_words(log, tmp_path / "texts.toml", text), "nl")
    assert told[0] == "Same regisseur as 3 of yours, such as Kill Bill, which you een 4 gaf: Quentin Tarantino"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[en.reasons]\nsame_thing = "x"', "no sentence 'same_thing'"),
        ('[en.reasons]\ntaste = "for {user}"', r"nothing fills \{user\}"),
        ('[en.relations.MADE_BY]\npopular_ever = "x"', "no sentence 'popular_ever'"),
        ("[en.words]\n", "unknown field `words`"),
        ("[en", "cannot be used"),
    ],
)
def test_a_wrong_file_of_texts_is_refused_by_name(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "texts.toml"
    path.write_text(text)
    with pytest.raises(InvalidSettings, match=says) as refused:
        wordings(path)
    assert "texts.toml" in refused.value.message
    assert refused.value.field == "CLEW_TEXTS"


def test_a_language_without_texts_is_refused(recommender: Recommender) -> None:
    with pytest.raises(InvalidRequest, match="there are en, zh"):
        recommender.recommend(RecommendRequest(user_id="ann", lang="xx"))
