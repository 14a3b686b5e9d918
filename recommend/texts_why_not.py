"""Why an item is not in a list, in one sentence: English and Chinese."""

from collections.abc import Mapping

LANGUAGES = ("en", "zh")
_ENGLISH = {
    "in_list": "{name} is in the list, at place {rank} of {n}.",
    "unknown_item": "There is no item {item_id} in the catalogue.",
    "unavailable": "{name} is not available.",
    "hidden": "{name} is hidden until {until}, because of what the user did ({detail}).",
    "seen": "{name} is left out because the user has had it ({detail}); by its score it would be at place {rank}.",
    "filtered": "{name} does not pass the filter of the request ({detail}); by its score it would be at place {rank}.",
    "item_kind": "{name} is not of the kind {detail}, which the request asks for.",
    "rule": "The rule {rule_id} keeps {name} out; by its score it would be at place {rank}.",
    "no_evidence": "Nothing that is known of the user speaks for {name}.",
    "cold": "{name} has no relation and nobody took it: nothing can speak for it yet.",
    "score": "{name} is at place {rank} of {of}: its score of {score} is {gap} below that of the last item shown.",
    "cap": "The list has as many items of {detail} as it may; {name} is at place {rank} by its score.",
    "diversity": "{name} is at place {rank} by its score, but too like what the list shows already.",
    "other": "{name} is kept out: {code}.",
}
_CHINESE = {
    "in_list": "《{name}》就在列表中，排在 {n} 项中的第 {rank} 位。",
    "unknown_item": "目录中没有编号为 {item_id} 的物品。",
    "unavailable": "《{name}》目前不可用。",
    "hidden": "《{name}》在 {until} 之前被隐藏，原因是用户的行为（{detail}）。",
    "seen": "《{name}》未列出，因为用户已经接触过它（{detail}）；按得分它本应排在第 {rank} 位。",
    "filtered": "《{name}》不符合请求的筛选条件（{detail}）；按得分它本应排在第 {rank} 位。",
    "item_kind": "《{name}》不属于请求所要的类别 {detail}。",
    "rule": "规则 {rule_id} 排除了《{name}》；按得分它本应排在第 {rank} 位。",
    "no_evidence": "关于该用户的已知信息都不支持《{name}》。",
    "cold": "《{name}》没有任何关系，也无人选过：目前没有任何依据支持它。",
    "score": "《{name}》在 {of} 项中排第 {rank} 位：得分 {score}，比列表最后一项低 {gap}。",
    "cap": "列表中属于 {detail} 的物品已达上限；按得分《{name}》排在第 {rank} 位。",
    "diversity": "按得分《{name}》排在第 {rank} 位，但与列表中已有的物品过于相似。",
    "other": "《{name}》被排除：{code}。",
}
_SENTENCES: Mapping[str, Mapping[str, str]] = {"en": _ENGLISH, "zh": _CHINESE}


def why_not_text(code: str, lang: str, values: Mapping[str, object]) -> str:
    """The sentence of a code. lang: one of LANGUAGES. values: name, item_id, rank and so on; floats get 3 digits."""
    shown = {name: f"{value:.3f}" if isinstance(value, float) else value for name, value in values.items()}
    sentences = _SENTENCES[lang]
    return sentences.get(code, sentences["other"]).format(**shown)
