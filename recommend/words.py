"""The words of a text as they are compared: without case, accents and punctuation."""

import re
import unicodedata

_WORD = re.compile(r"\w+")


def words_of(text: str) -> tuple[str, ...]:
    """Amélie (2001) has the words amelie and 2001."""
    decomposed = unicodedata.normalize("NFKD", text)
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return tuple(_WORD.findall(plain.casefold()))
