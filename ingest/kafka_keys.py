"""A key for each person, in a compacted topic: what is sealed with it is gone once the key is.

The topic's keys are the person's keyed hash (16 bytes) and the key's id (8); its values are what the key is for (1) and
the key (32), or nothing for one that was destroyed. The oldest entry that begins with "secret" holds the key of the
hashes.
"""

import hashlib
import secrets
import threading
from collections.abc import Collection, Iterable

from confluent_kafka import Message
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ingest.kafka_client import Follower, Outgoing, Sender
from ingest.kafka_index import KafkaIndex, Key

PERSON_BYTES, ID_BYTES, KEY_BYTES = 16, 8, 32
SECRET = b"secret"
FOR_RECORDS, FOR_FAREWELL = b"\x00", b"\x01"
MOST_CACHED = 100_000


class Keyring:
    """The keys as far as this machine has seen them; looks again where one is missing.

    Raises (any method): LogUnavailable while Kafka does not answer and has to be asked.
    """

    def __init__(self, topic: str, index: KafkaIndex, sender: Sender, follower: Follower) -> None:
        self._topic = topic
        self._index = index
        self._sender = sender
        self._follower = follower
        self._lock = threading.RLock()
        self._ciphers: dict[bytes, tuple[bytes, AESGCM]] = {}  # key id -> person, cipher
        self._current: dict[bytes, Key] = {}  # person -> the key that seals
        self._drops = index.drops()
        self._secret = self._shared_secret()

    def hash(self, text: str) -> bytes:
        """(16,) bytes that stand for a person or an event, and tell nobody without the secret which."""
        return hashlib.blake2b(text.encode(), key=self._secret, digest_size=PERSON_BYTES).digest()

    def current(self, people: Collection[bytes]) -> dict[bytes, Key]:
        """The key that seals what each person does; made, durably, for those who have none."""
        with self._lock:
            keys = self._known(people)
            if len(keys) < len(people):
                self.look()  # another machine may have made them
                keys |= self._known([person for person in people if person not in keys])
                keys |= {key.person: key for key in self._make(set(people) - keys.keys(), FOR_RECORDS)}
            return keys

    def farewell(self, person: bytes) -> Key:
        """A fresh key for the record that says that the person was erased."""
        with self._lock:
            return self._make([person], FOR_FAREWELL)[0]

    def cipher(self, key_id: bytes) -> tuple[bytes, AESGCM] | None:
        """The person and the cipher of a key; None for one that was destroyed, or was not seen yet."""
        found = self._ciphers.get(key_id)
        if found is None:
            key = self._index.key(key_id)
            if key is None:
                return None
            found = (key.person, AESGCM(key.key))
            if len(self._ciphers) >= MOST_CACHED:
                self._ciphers.clear()
            self._ciphers[key_id] = found
        return found

    def refresh(self) -> None:
        """Forgets what another process of this machine has destroyed."""
        drops = self._index.drops()
        if drops != self._drops:
            with self._lock:
                self._ciphers.clear()
                self._current.clear()
                self._drops = drops

    def look(self) -> None:
        """Takes in what the topic has gained. A key of someone who was erased is destroyed at once."""
        with self._lock:
            late = list[Key]()
            for messages in self._follower.to_end():
                with self._index.transaction():
                    keys = [key for key in map(self._take, messages) if key is not None]
                    self._index.advance(self._topic, self._follower.position)
                gone = self._index.erased({key.person for key in keys})
                late += [key for key in keys if key.person in gone and key.farewell is None]
            if late:
                self.destroy(late)

    def destroy(self, keys: Iterable[Key]) -> None:
        """What is sealed with these keys can be read by nobody from now on."""
        with self._lock:
            doomed = list(keys)
            self._sender.send([Outgoing(self._topic, key.person + key.key_id, None) for key in doomed])
            with self._index.transaction():
                self._index.drop_keys(doomed)
            for key in doomed:
                self._forget(key)
            self._index.scrub()

    def _forget(self, key: Key) -> None:
        self._ciphers.pop(key.key_id, None)
        current = self._current.get(key.person)
        if current is not None and current.key_id == key.key_id:
            del self._current[key.person]

    def _known(self, people: Collection[bytes]) -> dict[bytes, Key]:
        """Those of the keys that this machine has."""
        unseen = [person for person in people if person not in self._current]
        if len(self._current) + len(unseen) > MOST_CACHED:
            self._current.clear()
            unseen = list(people)
        self._current |= self._index.current_keys(unseen)
        return {person: self._current[person] for person in people if person in self._current}

    def _make(self, people: Collection[bytes], purpose: bytes) -> list[Key]:
        farewell = 0 if purpose == FOR_FAREWELL else None
        made = [
            Key(secrets.token_bytes(ID_BYTES), person, secrets.token_bytes(KEY_BYTES), farewell) for person in people
        ]
        self._sender.send([Outgoing(self._topic, key.person + key.key_id, purpose + key.key) for key in made])
        with self._index.transaction():
            self._index.add_keys(made)
        return made

    def _take(self, message: Message) -> Key | None:
        """Notes what one message of the topic says; the key, where it brings one. Call in a transaction."""
        name, value = message.key() or b"", message.value()
        if len(name) != PERSON_BYTES + ID_BYTES:
            return None
        person, key_id = name[:PERSON_BYTES], name[PERSON_BYTES:]
        if value is None:
            gone = Key(key_id, person, b"")
            self._index.drop_keys([gone])
            self._forget(gone)
            return None
        key = Key(key_id, person, value[1:], 0 if value[:1] == FOR_FAREWELL else None)
        self._index.add_keys([key])
        return key

    def _shared_secret(self) -> bytes:
        """The oldest one of the topic, so that everybody has the same."""
        noted = self._index.note("secret")
        if isinstance(noted, bytes):
            return noted
        found = self._first_secret()
        if found is None:
            name = SECRET + secrets.token_bytes(ID_BYTES)
            self._sender.send([Outgoing(self._topic, name, secrets.token_bytes(KEY_BYTES))])
            found = self._first_secret()
            assert found is not None
        self._index.set_note("secret", found)
        return found

    def _first_secret(self) -> bytes | None:
        """Reads the topic from its beginning, and takes the follower back to where it was."""
        before, found = self._follower.position, None
        self._follower.seek(0)
        for messages in self._follower.to_end():
            for message in messages:
                name = message.key() or b""
                if found is None and len(name) == len(SECRET) + ID_BYTES and name.startswith(SECRET):
                    found = message.value()
        self._follower.seek(before)
        return found
