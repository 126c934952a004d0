"""A time-stamping authority for rehearsals: `openssl ts` behind a server on the loopback address.

Its root and its certificate are made anew in a folder. It answers as the program of others answers;
`change` may spoil an answer on its way, as a network or an attacker would.

Source: RFC 3161, 3.4; ISO/TS 12812-2:2017, 7.3.3
"""

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from simulators.loopback import LoopbackServer, Request, Response
from tallystick.kernel.errors import Unavailable

POLICY: Final = "1.3.6.1.4.1.99999.1"
OTHER_POLICY: Final = "1.3.6.1.4.1.99999.2"
REPLY: Final = "application/timestamp-reply"

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

_SETTINGS: Final = """
[ tsa ]
default_tsa = stamps
[ stamps ]
serial = {folder}/serial
signer_cert = {folder}/signer.pem
certs = {folder}/chain.pem
signer_key = {folder}/signer.key
signer_digest = sha256
default_policy = {policy}
other_policies = {other}
digests = sha256
accuracy = secs:1
ordering = no
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


@dataclass(frozen=True, slots=True)
class Issued:
    """A key and its certificate.

    Source: RFC 5280, 4.1
    """

    private: PrivateKey
    certificate: x509.Certificate

    def pem(self) -> bytes:
        """The certificate in PEM.

        Source: RFC 7468, 5
        """
        return self.certificate.public_bytes(Encoding.PEM)

    def der(self) -> bytes:
        """The certificate in DER.

        Source: RFC 5280, 4.1
        """
        return self.certificate.public_bytes(Encoding.DER)


def issue(
    name: str,
    issuer: Issued | None = None,
    *,
    stamps: bool = False,
    usage: tuple[x509.ObjectIdentifier, ...] = (ExtendedKeyUsageOID.TIME_STAMPING,),
    days: tuple[int, int] = (-2, 30),
    curve: bool = False,
) -> Issued:
    """A certificate of `name` from `issuer` (its own, if None), valid from and to `days` from now.

    One that `stamps` is for the uses in `usage`; another may issue.
    Source: RFC 5280, 4.2; RFC 3161, 2.3
    """
    private: PrivateKey = (
        ec.generate_private_key(ec.SECP256R1())
        if curve
        else rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC).replace(microsecond=0)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=not stamps, path_length=None), critical=True)
    )
    if stamps and usage:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usage), critical=True)
    signer = issuer.private if issuer else private
    return Issued(private, builder.sign(signer, SHA256()))


def _program() -> str:
    found = shutil.which("openssl")
    if found is None:
        raise Unavailable("there is no openssl to stamp with")
    return found


class TimeAuthority:
    """The authority in `folder`: a root, one issuer below it, and a certificate for time stamps.

    Source: RFC 3161, 2.1
    """

    def __init__(
        self,
        folder: Path,
        *,
        signer: Issued | None = None,
        change: Callable[[bytes], Response | None] | None = None,
    ) -> None:
        """Make the files that `openssl ts` takes, with `signer` in place of an own certificate.

        Source: RFC 3161, 2.3
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.root = issue("Rehearsal root")
        self.middle = issue("Rehearsal issuer", self.root)
        self.signer = signer or issue("Rehearsal time stamps", self.middle, stamps=True)
        self._change = change or (lambda octets: Response(200, octets, REPLY))
        key = self.signer.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        for name, octets in (
            ("root.pem", self.root.pem()),
            ("chain.pem", self.middle.pem() + self.root.pem()),
            ("signer.pem", self.signer.pem()),
            ("signer.key", key),
            ("serial", b"01\n"),
        ):
            (folder / name).write_bytes(octets)
        settings = _SETTINGS.format(folder=folder, policy=POLICY, other=OTHER_POLICY)
        (folder / "openssl.cnf").write_text(settings, encoding="utf-8")

    @property
    def root_file(self) -> Path:
        """The certificate to pin.

        Source: RFC 5280, 6.1.1
        """
        return self.folder / "root.pem"

    def answer(self, query: bytes) -> bytes:
        """What `openssl ts -reply` answers to `query`.

        Raises Unavailable if it does not.
        Source: RFC 3161, 2.4.2
        """
        asked, answered = self.folder / "asked.tsq", self.folder / "answered.tsr"
        asked.write_bytes(query)
        answered.unlink(missing_ok=True)
        done = subprocess.run(
            [_program(), "ts", "-reply", "-config", str(self.folder / "openssl.cnf"),
             "-queryfile", str(asked), "-out", str(answered)],
            capture_output=True, check=False, timeout=30,
        )  # fmt: skip
        if not answered.exists():
            raise Unavailable(f"openssl ts gave nothing: {done.stderr.decode()[-300:]}")
        return answered.read_bytes()

    def serve(self) -> LoopbackServer:
        """A server that answers queries; the caller closes it.

        Source: RFC 3161, 3.4
        """
        return LoopbackServer(self._handle)

    def _handle(self, request: Request) -> Response | None:
        if request.method != "POST":
            return Response(405, b"", REPLY)
        return self._change(self.answer(request.body))
