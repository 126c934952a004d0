"""An authority of another party, run by OpenSSL: it certifies, revokes, and publishes lists."""

from pathlib import Path

from tests.support.openssl import openssl

from tallystick.infrastructure.crypto.x509 import Certificate, read_pem
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.time import Instant

_CONFIG = """
[ca]
default_ca = here
[here]
database = {folder}/index.txt
crlnumber = {folder}/crlnumber
serial = {folder}/serial
new_certs_dir = {folder}
certificate = {folder}/root.pem
private_key = {folder}/root.key
default_md = sha256
default_days = 30
default_crl_days = 7
policy = any
unique_subject = no
x509_extensions = leaf
{extensions}
[any]
commonName = supplied
[leaf]
basicConstraints = CA:FALSE
[middle]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
[list]
authorityKeyIdentifier = keyid:always
"""


class OpensslAuthority:
    """A root in `folder` that signed itself; `usage` limits what its key may sign.

    With `above` it is an authority that another one certified, and `root.pem` its certificate.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        usage: str = "keyCertSign,cRLSign",
        above: "OpensslAuthority | None" = None,
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        (folder / "index.txt").write_text("")
        (folder / "crlnumber").write_text("01\n")
        (folder / "serial").write_text("1000\n")
        for config, extensions in (("ca.cnf", "crl_extensions = list"), ("old.cnf", "")):
            text = _CONFIG.format(folder=folder, extensions=extensions)
            if not extensions:
                text = text.replace(f"crlnumber = {folder}/crlnumber\n", "")
            (folder / config).write_text(text)
        if above is None:
            openssl(
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", folder / "root.key", "-out", folder / "root.pem", "-subj", f"/CN={name}",
                "-days", "60", "-addext", f"keyUsage=critical,{usage}",
            )  # fmt: skip
        else:
            above.certify(folder / "root", name, "middle")
        text = (folder / "root.pem").read_bytes()
        self.certificate = read_pem(text[text.index(b"-----BEGIN") :])

    @staticmethod
    def now() -> Instant:
        """A moment after everything that was made so far; OpenSSL counts in seconds."""
        return Instant(SystemClock().now() + 2_000)

    def issue(self, name: str) -> Certificate:
        """A certificate of a fresh key for `name`."""
        text = self.certify(self.folder / name, name, "leaf").read_bytes()
        return read_pem(text[text.index(b"-----BEGIN") :])

    def certify(self, place: Path, name: str, extensions: str) -> Path:
        """The file of a certificate for `name`, with its key and request beside it at `place`."""
        key, asked, made = (place.with_suffix(f".{one}") for one in ("key", "csr", "pem"))
        openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
            "-out", asked, "-subj", f"/CN={name}",
        )  # fmt: skip
        openssl(
            "ca", "-batch", "-config", self.folder / "ca.cnf", "-extensions", extensions,
            "-in", asked, "-out", made,
        )  # fmt: skip
        return made

    def leaf(self, name: str) -> Path:
        """A file with a certificate for `name`."""
        return self.folder / f"{self.issue(name).serial:X}.pem"

    def revoke(self, certificate: Certificate, reason: str) -> None:
        """Revoke what was issued, from now on."""
        made = self.folder / f"{certificate.serial:X}.pem"
        openssl("ca", "-config", self.folder / "ca.cnf", "-revoke", made, "-crl_reason", reason)

    def publish(self, *, form: str = "PEM", days: int = 7, number: bool = True) -> bytes:
        """The list as it is now; without a `number` in the form that OpenSSL made long ago."""
        config = self.folder / ("ca.cnf" if number else "old.cnf")
        pem, out = self.folder / "list.pem", self.folder / "list.out"
        openssl("ca", "-config", config, "-gencrl", "-crldays", str(days), "-out", pem)
        openssl("crl", "-in", pem, "-out", out, "-outform", form)
        return out.read_bytes()
