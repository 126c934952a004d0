"""A handshake whose first answerer ended: what only that process could open is begun anew, once."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.served import Person, served

from tallystick.client.session import Transport
from tallystick.kernel.errors import NotAuthentic
from tallystick.protocol.session import SESSIONS_PATH


class Between:
    """The way to a provider on which something happens between the two messages."""

    def __init__(self, way: Transport, happens: Callable[[int], None]) -> None:
        self._way = way
        self._happens = happens
        self.proofs = 0

    def post(self, path: str, body: bytes, content_type: str):
        if path.startswith(f"{SESSIONS_PATH}/"):
            self.proofs += 1
            self._happens(self.proofs)
        return self._way.post(path, body, content_type)

    def get(self, path: str):
        return self._way.get(path)


def between(person: Person, happens: Callable[[int], None]) -> Between:
    peer = person.session._peer
    way = Between(peer.transport, happens)
    person.session._peer = replace(peer, transport=way)
    return way


@pytest.mark.parametrize("rotations", [1, 2, 256])
def test_a_new_process_between_the_two_messages_is_not_noticed(
    tmp_path: Path, rotations: int
) -> None:
    """256 rotations: the number of the key is the same again, as after a start."""
    with served(tmp_path / "p") as provider:
        person = provider.person("+254700000001", "Ann")

        def ended(proof: int) -> None:
            for _ in range(rotations if proof == 1 else 0):
                provider.platform.cookies.rotate(os.urandom(32))

        way = between(person, ended)
        accepted = person.session.establish()
        assert accepted.open
        assert way.proofs == (1 if rotations == 1 else 2), "the key before is still known"
        assert person.wallet.account().available_minor == 0


def test_who_is_never_authentic_is_told_after_the_second_try(tmp_path: Path) -> None:
    with served(tmp_path / "p") as provider:
        person = provider.person("+254700000001", "Ann")

        def always(proof: int) -> None:
            for _ in range(2):
                provider.platform.cookies.rotate(os.urandom(32))

        way = between(person, always)
        with pytest.raises(NotAuthentic):
            person.session.establish()
        assert way.proofs == 2
