"""Enrolment of a device: its keys bound to the customer whose activation code was entered.

Source: ISO/TS 12812-2:2017, 7.4.1
"""

from collections.abc import Callable

from tallystick.client.identity import EnrolledIdentity
from tallystick.client.keystore import DeviceKeystore
from tallystick.client.session import JSON_MEDIA_TYPE, Peer, refusal
from tallystick.infrastructure.envelope.certificate import certificate_id
from tallystick.kernel.secret import Secret
from tallystick.protocol.enrolment import ENROLMENTS_PATH, Attestation, DeviceDescription
from tallystick.protocol.session import Purpose


def enrol(
    peer: Peer,
    keystore: DeviceKeystore,
    *,
    activation: str,
    code: Secret[str],
    description: DeviceDescription,
    shown: str,
    attest: Callable[[bytes], Attestation] | None = None,
) -> EnrolledIdentity:
    """Bind the keys of `keystore` to the customer whose activation code was entered.

    `attest` is given the challenge; without it none is offered. `shown` is what the user is told
    while the consent key proves itself. Raises what the provider refuses with.
    Source: ISO/TS 12812-2:2017, 7.4.1
    """
    provider = peer.authenticated(Purpose.ENROLMENT)
    attestation = (
        Attestation(format="none", statement="")
        if attest is None
        else attest(provider.attestation_challenge())
    )
    pending = provider.prove_enrolment(
        activation=activation,
        code=code,
        possession=(keystore.possession_public(), keystore.possession_sign),
        consent=(
            keystore.consent_public(),
            lambda message: keystore.consent_sign(message, shown=shown),
        ),
        attestation=attestation,
        description=description,
        share=Secret(peer.entropy(32)),
    )
    path = f"{ENROLMENTS_PATH}/{pending.session}"
    reply = peer.transport.post(path, pending.body, JSON_MEDIA_TYPE)
    if not reply.sealed:
        raise refusal(reply)
    accepted, pair = pending.confirm(reply.status, reply.body)
    identity = EnrolledIdentity(
        provider=peer.provider,
        device=accepted.device,
        customer=accepted.customer,
        accounts=accepted.accounts,
        certificate_id=certificate_id(accepted.certificate),
        certificate=accepted.certificate,
    )
    keystore.store_enrolment(identity, pair)
    return identity
