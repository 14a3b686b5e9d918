"""The address of a log on Kafka: kafka://host:port[,host:port]/topic."""

import re
from dataclasses import dataclass

from domain.errors import InvalidSettings

_FORM = re.compile(r"kafka://(?P<brokers>[^/\s,]+:\d+(,[^/\s,]+:\d+)*)/(?P<topic>[A-Za-z0-9._-]{1,200})\Z")


@dataclass(frozen=True)
class KafkaAddress:
    """brokers: host:port, commas between them. Beside `topic` Clew uses topic.keys and topic.dead."""

    brokers: str
    topic: str


def kafka_address(text: str) -> KafkaAddress:
    """Raises: InvalidSettings when it has another form."""
    found = _FORM.match(text)
    if found is None or found["topic"] in (".", ".."):
        raise InvalidSettings(
            f"CLEW_EVENTS={text} is neither `sqlite` nor kafka://host:port[,host:port]/topic, such as "
            "kafka://127.0.0.1:19092/clew",
            field="CLEW_EVENTS",
        )
    return KafkaAddress(found["brokers"], found["topic"])
