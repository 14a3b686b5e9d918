"""A statement that Neo4j Browser can run as it is: the parameters of a .cypher file written out as literals."""

import json
import re
from urllib.parse import quote

from cypher import statement
from recommend.drafts import DraftPath

_PARAMETER = re.compile(r"\$([a-z_]+)")


def statement_for(draft: DraftPath) -> str:
    """The text that shows a path. Ids are written as escaped string literals."""
    slots = {} if draft.relation is None else {"relation": draft.relation}
    text = statement(draft.statement, **slots)
    return _PARAMETER.sub(lambda match: literal(draft.parameters[match.group(1)]), text)


def address_of(browser: str, text: str) -> str:
    """The address at which Neo4j Browser has the statement in its editor. browser: where it is served."""
    return f"{browser}?cmd=edit&arg={quote(text, safe='')}"


def literal(text: str) -> str:
    r"""A Cypher string literal: JSON's escapes are Cypher's too, and "$" and quotes inside stay data.

    Source: Cypher manual, "String literal escape sequences" (\b \f \n \r \t \\ \" \uXXXX).
    """
    return json.dumps(text)
