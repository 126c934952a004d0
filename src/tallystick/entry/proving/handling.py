"""Probes of how keys are handled here: what comes in, what a front reaches, what is gone.

Source: ISO/TS 12812-2:2017, 7.4.2; 8.2; 11.2.3
"""

from functools import partial
from typing import Final

from tallystick.entry.assembly import Platform
from tallystick.entry.proving.looking import (
    Declared,
    Seen,
    all_attempted,
    attempted,
    declare,
    failed,
    judged,
    part,
    unknown,
)
from tallystick.entry.proving.site import Site
from tallystick.infrastructure.crypto.signature import (
    Ed25519VerifyKey,
    Es256SigningKey,
    Es256VerifyKey,
)
from tallystick.infrastructure.envelope.certificate import issue_certificate, verify_certificate
from tallystick.infrastructure.keys.table import Role, purposes_of
from tallystick.infrastructure.modules.block import peek
from tallystick.infrastructure.modules.interface import ED25519, Purpose
from tallystick.infrastructure.modules.master import MasterKey
from tallystick.infrastructure.modules.signer import ModuleSigner
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.kernel.codec import b64url, encode_canonical
from tallystick.kernel.errors import (
    Expired,
    Malformed,
    NotAuthentic,
    NotFound,
    NotPermitted,
)
from tallystick.kernel.ids import random_id
from tallystick.kernel.time import DAY_MS, HOUR_MS, Instant
from tallystick.process.conformance.checks import CheckKind
from tallystick.process.conformance.registry import Registry
from tallystick.protocol.enrolment import DeviceCertificate
from tallystick.protocol.webhooks import WebhookDelivery, signature_header, verify_delivery

_DECLARED: Final[tuple[Declared, ...]] = (
    ("keys.clear-import", CheckKind.NEGATIVE, ("MFS-7.4.2-02",),
     "keys in clear, and keys of another master key, are not imported"),
    ("keys.front", CheckKind.NEGATIVE, (part("MFS-6.2.3-02"),),
     "a front opens no key of writer or enrolment that is kept here"),
    ("keys.destroyed", CheckKind.NEGATIVE, (part("MFS-7.4.2-09"),),
     "a key that was destroyed in the module does nothing any more"),
    ("certificates.strange", CheckKind.NEGATIVE, (part("MFS-7.4.2-11"),),
     "device certificates of strangers, of another provider, altered or ended are refused"),
    ("webhooks.signed", CheckKind.NEGATIVE, ("MFS-11.2.3-04",),
     "events are signed, and an altered, old or strange one does not verify"),
    ("module.class", CheckKind.STATIC, ("MFS-8.2.1-01", "MFS-8.2.2-01", part("MFS-9.2-01")),
     "master and PIN keys are in a validated module with a boundary in hardware"),
)  # fmt: skip
"""What each probe is called, how it looks, which rows it bears on, and what holds if it passes."""


class HandlingProbes:
    """Tries what a thief of blocks, a taken front or a forger of certificates would.

    Source: ISO/TS 12812-2:2017, 7.4.2; 8.2
    """

    def __init__(self, site: Site) -> None:
        self._site = site

    def register(self, registry: Registry) -> None:
        """Add every probe.

        Source: ISO/TS 12812-2:2017, 9.1
        """
        looks = {
            "keys.clear-import": self.clear_import,
            "keys.front": self.front,
            "keys.destroyed": self.destroyed,
            "certificates.strange": self.certificates,
            "webhooks.signed": self.webhooks,
            "module.class": self.module_class,
        }
        declare(registry, _DECLARED, looks)

    @property
    def _platform(self) -> Platform:
        return self._site.opened()

    def clear_import(self, now: Instant) -> Seen:
        """Offers a key in clear, with and without the header of a genuine block, and a stranger's.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        module, profile = self._platform.module, self._site.settings.profile
        roots = MasterKey.generate(module.random).roots(tuple(Purpose))
        stranger = SoftModule(roots, self._site.clock, profile=profile)
        genuine = module.export_block(module.generate(Purpose.SUBJECT))
        own = Es256SigningKey.generate().to_pkcs8().reveal()
        offered = {
            "a clear key": module.random(32),
            "a private key": own,
            "a clear key behind a genuine header": genuine[:-32] + module.random(32),
            "a stranger's block": stranger.export_block(stranger.generate(Purpose.SUBJECT)),
        }
        refusals = (NotAuthentic, NotPermitted, Malformed)
        return all_attempted(
            {
                name: attempted(partial(module.import_block, block), *refusals)
                for name, block in offered.items()
            }
        )

    def front(self, now: Instant) -> Seen:
        """Opens the blocks of the key store with the roots that a front has.

        Source: ISO/TS 12812-2:2017, 6.2.3; 7.4.2
        """
        quote_only = SoftModule(
            self._platform.quote_roots, self._site.clock, profile=self._site.settings.profile
        )
        allowed = {Purpose.QUOTE}
        writers = set(purposes_of((Role.WRITER, Role.ENROLMENT))) - allowed
        blocks = [one for one in self._site.folder.blocks() if peek(one).purpose in writers]
        if not blocks:
            return unknown("no key of the writer is kept here")
        refusals = (NotAuthentic, NotPermitted)
        return all_attempted(
            {
                f"{peek(one).purpose.value} {at}": attempted(
                    partial(quote_only.import_block, one), *refusals
                )
                for at, one in enumerate(blocks)
            }
        )

    def destroyed(self, now: Instant) -> Seen:
        """Makes a key, uses it, destroys it, and uses it again.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        module = self._platform.module
        handle = module.generate(Purpose.SUBJECT)
        nonce = module.random(12)
        sealed = module.seal(handle, nonce, b"probe", b"")
        module.open(handle, nonce, sealed, b"")
        module.destroy(handle)
        return all_attempted(
            {
                "open": attempted(lambda: module.open(handle, nonce, sealed, b""), NotFound),
                "seal": attempted(lambda: module.seal(handle, nonce, b"probe", b""), NotFound),
                "export": attempted(lambda: module.export_block(handle), NotFound),
                "MAC": attempted(lambda: module.mac(handle, b"probe"), NotFound),
            }
        )

    def certificates(self, now: Instant) -> Seen:
        """Verifies certificates that the provider's authority did not give, or not for now.

        Source: ISO/TS 12812-2:2017, 7.4.2; 3.5
        """
        platform = self._platform
        handle = platform.keys.newest(Purpose.DEVICE_CA)
        signer = ModuleSigner(platform.module, handle)
        authority = Es256VerifyKey(platform.module.public_octets(handle))
        provider, stranger = self._site.settings.provider, Es256SigningKey.generate()
        usual = self._certificate(provider, now, now + DAY_MS)
        verify = partial(verify_certificate, kid=handle.id, device_ca=authority, now=now)
        genuine = issue_certificate(signer, handle.id, usual)
        verify(genuine, provider=provider)
        old = issue_certificate(
            signer, handle.id, self._certificate(provider, now - 2 * DAY_MS, now - DAY_MS)
        )
        strange = issue_certificate(stranger, handle.id, usual)
        head, body, signature = genuine.split(".")
        altered = f"{head}.{b64url(encode_canonical(self._certificate(provider, now, now + 1)))}"
        given = {
            "of a stranger": (strange, provider),
            "with another body": (f"{altered}.{signature}", provider),
            "cut short": (f"{head}.{body}.", provider),
            "ended": (old, provider),
            "for another provider": (genuine, f"{provider}-x"),
        }
        refusals = (NotAuthentic, Malformed, Expired)
        return all_attempted(
            {
                name: attempted(partial(verify, jws, provider=whose), *refusals)
                for name, (jws, whose) in given.items()
            }
        )

    def _certificate(self, provider: str, start: int, end: int) -> DeviceCertificate:
        draw = self._platform.module.random
        public = b64url(Es256SigningKey.generate().public().octets())
        return DeviceCertificate(
            id=random_id("crt", draw(16)),
            provider=provider,
            device=random_id("dev", draw(16)),
            customer=random_id("cus", draw(16)),
            possession=public,
            consent=public,
            attested="none",
            not_before=start,
            not_after=end,
        )

    def webhooks(self, now: Instant) -> Seen:
        """Signs an event as it is delivered, and has it verified altered, late and by another key.

        Source: ISO/TS 12812-2:2017, 11.2.3
        """
        module, handle = self._platform.module, self._platform.keys.newest(Purpose.WEBHOOK)
        if handle.mechanism != ED25519:
            return unknown(f"events are signed by {handle.mechanism}")
        public = Ed25519VerifyKey(module.public_octets(handle))
        other = module.generate(Purpose.WEBHOOK)
        stranger = Ed25519VerifyKey(module.public_octets(other))
        module.destroy(other)
        body = encode_canonical(
            WebhookDelivery(
                id="probe-1", webhook="probe", provider=self._site.settings.provider,
                origin=self._site.settings.origin, index=1, leaf=b64url(b"probe"),
            )
        )  # fmt: skip
        header = signature_header(
            body, kid=handle.id, now=now, sign=lambda message: module.sign(handle, message)
        )
        verify_delivery(body, header, public, now=now)
        altered = body.replace(b'"index":1', b'"index":2')
        refusals = (NotAuthentic, Expired)
        tried = {
            "altered": partial(verify_delivery, altered, header, public, now=now),
            "an hour late": partial(verify_delivery, body, header, public, now=now + HOUR_MS),
            "unsigned": partial(verify_delivery, body, "", public, now=now),
            "by another key": partial(verify_delivery, body, header, stranger, now=now),
        }
        return all_attempted({name: attempted(act, *refusals) for name, act in tried.items()})

    def module_class(self, now: Instant) -> Seen:
        """What the module says of itself.

        Source: ISO/TS 12812-2:2017, 8.2.1; 8.2.2
        """
        own = self._platform.module.capabilities()
        kept = {Purpose.PIN_PEPPER, Purpose.SUBJECT} & set(own.purposes)
        says = f"module {own.name}, profile {own.profile}"
        if own.hardware_boundary and own.validated_as:
            return judged(True, f"{says}, validated as {own.validated_as}", "", keys=len(kept))
        return failed(f"{says}: no certificate, and no boundary in hardware", keys=len(kept))
