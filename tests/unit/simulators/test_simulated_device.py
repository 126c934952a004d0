"""The simulated TEE keystore is a keystore, asks the person, and can be cloned."""

import pytest
from simulators.device import SimulatedPerson, SimulatedTeeKeystore

from tallystick.client.identity import EnrolledIdentity
from tallystick.client.keystore import DeviceKeystore
from tallystick.infrastructure.crypto.signature import Es256VerifyKey
from tallystick.infrastructure.envelope.renewal import (
    Presented,
    RenewalClaim,
    RenewalPair,
    RenewalRecord,
    Renewed,
    Spent,
    judge_renewal,
)
from tallystick.infrastructure.envelope.schedule import renewal_proof
from tallystick.kernel.errors import NotAuthentic, NotFound, NotPermitted
from tallystick.kernel.secret import Secret

IDENTITY = EnrolledIdentity(
    provider="tally",
    device="dev_x",
    customer="cus_x",
    accounts=("acc_x",),
    certificate_id="crt_x",
    certificate="a.b.c",
)
FIRST = RenewalPair(counter=1, secret=Secret(b"1" * 32))


def test_it_signs_as_a_keystore_does_and_says_that_it_is_simulated() -> None:
    keystore: DeviceKeystore = SimulatedTeeKeystore()
    possession = Es256VerifyKey(keystore.possession_public())
    consent = Es256VerifyKey(keystore.consent_public())
    possession.verify(keystore.possession_sign(b"here"), b"here")
    consent.verify(keystore.consent_sign(b"pay", shown="Pay KES 5"), b"pay")
    with pytest.raises(NotAuthentic):
        consent.verify(keystore.possession_sign(b"pay"), b"pay")
    assert keystore.protection == "simulated TEE keystore"
    assert repr(keystore) == "SimulatedTeeKeystore(simulated TEE keystore)"


def test_nothing_is_signed_when_the_person_says_no() -> None:
    person = SimulatedPerson(lambda shown: "KES 5" in shown)
    keystore = SimulatedTeeKeystore(person)
    keystore.consent_sign(b"order", shown="Pay KES 5 to Jane")
    with pytest.raises(NotPermitted):
        keystore.consent_sign(b"order", shown="Pay KES 900 to Mallory")
    assert person.saw == ["Pay KES 5 to Jane", "Pay KES 900 to Mallory"]


def test_it_remembers_enrolment_pairs_and_checkpoint() -> None:
    keystore = SimulatedTeeKeystore()
    with pytest.raises(NotFound):
        keystore.identity()
    assert keystore.renewal_pairs() == ()
    keystore.store_enrolment(IDENTITY, FIRST)
    assert keystore.identity() == IDENTITY
    assert keystore.renewal_pairs() == (FIRST,)
    assert not keystore.checkpoint()
    keystore.store_checkpoint("note")
    assert keystore.checkpoint() == "note"


def test_a_clone_has_everything_and_from_then_on_its_own_memory() -> None:
    original = SimulatedTeeKeystore()
    original.store_enrolment(IDENTITY, FIRST)
    thief = SimulatedPerson()
    clone = original.clone(thief)
    assert clone.possession_public() == original.possession_public()
    assert clone.consent_public() == original.consent_public()
    assert (clone.identity(), clone.renewal_pairs()) == (IDENTITY, (FIRST,))
    clone.consent_sign(b"steal", shown="everything")
    assert thief.saw == ["everything"]
    clone.store_renewal_pairs([RenewalPair(counter=2, secret=Secret(b"2" * 32))])
    assert original.renewal_pairs() == (FIRST,)


@pytest.mark.threat("THR-DEV-04")
@pytest.mark.parametrize("thief_first", [True, False])
def test_whoever_of_original_and_clone_comes_second_is_spent(thief_first: bool) -> None:
    original = SimulatedTeeKeystore()
    original.store_enrolment(IDENTITY, FIRST)
    clone = original.clone()
    first, second = (clone, original) if thief_first else (original, clone)
    record = RenewalRecord(counter=1, secret=FIRST.secret, accepted_at=0)

    def handshake(keystore: SimulatedTeeKeystore, now: int):
        fresh = RenewalPair(
            counter=keystore.renewal_pairs()[0].counter + 1, secret=Secret(bytes([now]) * 32)
        )
        transcript = bytes([now]) * 32
        presented = tuple(
            Presented(
                counter=pair.counter, proof=renewal_proof(pair.secret, pair.counter, transcript)
            )
            for pair in keystore.renewal_pairs()
        )
        keystore.store_renewal_pairs((fresh, *keystore.renewal_pairs()))
        claim = RenewalClaim(
            presented=presented,
            proposed=fresh.counter,
            secret=fresh.secret,
            transcript=transcript,
            begun_at=now,
        )
        return judge_renewal(record, claim, now)

    judged = handshake(first, 10)
    assert isinstance(judged, Renewed)
    first.store_renewal_pairs(first.renewal_pairs()[:1])
    record = judged.record
    assert isinstance(handshake(second, 20), Spent)
