"""A master key opened by KMS, a transit engine and a token: both ways, and what goes wrong."""

import json
import socket
from pathlib import Path
from urllib.parse import quote

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
from simulators.key_service import (
    ACCESS_KEY,
    CLIENT,
    REGION,
    SECRET_KEY,
    KmsSimulator,
    TransitSimulator,
    signature_wrong,
)
from simulators.loopback import Request, Response
from tests.support.softhsm import LIBRARY, PIN, soft_token, tool

from tallystick.entry.unsealing import service_at
from tallystick.entry.unsealing.vault import WAITS_S, TransitKey, VaultTransit
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.master import MasterKey, keeper_of
from tallystick.infrastructure.modules.opening import Custodians, Keeper, open_master
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import (
    Malformed,
    NotAuthentic,
    NotFound,
    NotPermitted,
    Unavailable,
)
from tallystick.kernel.secret import Secret

KEY, OTHER = "alias/tallystick", "alias/other"
SECRET = Secret(bytes(range(32)))


@pytest.fixture
def kms():
    found = KmsSimulator(KEY, OTHER)
    yield found
    found.close()


@pytest.fixture
def transit():
    found = TransitSimulator("transit/prod", "tallystick", "other")
    yield found
    found.close()


def kms_at(
    simulator: KmsSimulator, folder: Path, *, key: str = KEY, secret: str = SECRET_KEY
) -> str:
    file = folder / "credentials"
    file.write_text(
        f"[default]\naws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {secret}\n",
        encoding="ascii",
    )
    return f"aws-kms://{key}?region={REGION}&endpoint={simulator.url}&credentials={file}"


def transit_at(
    simulator: TransitSimulator, folder: Path, *, name: str = "tallystick", client: str = CLIENT
) -> str:
    file = folder / "client"
    file.write_text(client + "\n", encoding="ascii")
    return f"vault-transit://transit/prod/{name}?address={simulator.url}&auth=file:{file}"


@pytest.fixture(params=["aws-kms", "vault-transit", "pkcs11", "pkcs11-wrap"])
def address(request, tmp_path, kms, transit):
    """The address of a service that answers, of each kind, and of another key of it."""
    if request.param == "aws-kms":
        yield kms_at(kms, tmp_path), kms_at(kms, tmp_path, key=OTHER)
    elif request.param == "vault-transit":
        yield transit_at(transit, tmp_path), transit_at(transit, tmp_path, name="other")
    else:
        wraps = request.param == "pkcs11-wrap"
        with soft_token() as token:
            for name in ("kek", "other"):
                made_with_the_tool(token, name, wraps=wraps)
            head = f"pkcs11:token={token.label};object="
            tail = f"?module-path={LIBRARY}&pin-source={quote(str(token.pin_file))}"
            yield f"{head}kek{tail}", f"{head}other{tail}"


def made_with_the_tool(token, name: str, *, wraps: bool = False) -> None:
    usage = "--usage-wrap" if wraps else "--usage-decrypt"
    tool("pkcs11-tool", "--module", LIBRARY, "--token-label", token.label, "--login", "--pin", PIN,
         "--keygen", "--key-type", "AES:32", "--label", name, "--sensitive", usage)  # fmt: skip


@pytest.mark.requirement("MFS-7.4.2-01")
def test_a_master_key_is_sealed_and_opened_by_each_kind(address) -> None:
    own, other = address
    master = MasterKey.generate(operating_system)
    service = service_at(own)
    file = master.seal_under_service(service, operating_system, profile="production")
    assert keeper_of(file) == service.kind == own.partition(":")[0]
    opened = open_master(file, Keeper(service_at(own)), profile="production")
    wanted = master.roots(tuple(Purpose)).to_octets()
    assert opened.roots(tuple(Purpose)).to_octets() == wanted
    for opener, error in (
        (Keeper(service_at(other)), NotAuthentic),
        (SECRET, NotPermitted),
        (Custodians(()), NotPermitted),
    ):
        with pytest.raises(error):
            open_master(file, opener, profile="production")
    with pytest.raises(NotPermitted):
        open_master(file, Keeper(service_at(own)), profile="demo")
    assert PIN not in repr(service)
    assert CLIENT not in repr(service)


@pytest.mark.requirement("MFS-7.4.2-01")
def test_what_was_wrapped_for_one_file_opens_no_other(address) -> None:
    """The wrapped secret of one file, moved into another: the context is of the first."""
    service = service_at(address[0])
    master = MasterKey.generate(operating_system)
    files = [
        Decoder(dict).decode(
            master.seal_under_service(service, operating_system, profile="production")
        )
        for _ in range(2)
    ]
    forged = encode_canonical({**files[0], "wrapped": files[1]["wrapped"]})
    with pytest.raises(NotAuthentic):
        open_master(forged, Keeper(service), profile="production")


def test_files_from_before_key_services_open_as_they_did() -> None:
    file = MasterKey(bytes(32)).seal_under_secret(SECRET, operating_system, profile="test")
    assert keeper_of(file) == ""
    assert "keeper" not in json.loads(file)
    open_master(file, SECRET, profile="test")
    with pytest.raises(NotPermitted):
        open_master(file, Keeper(Nothing()), profile="test")
    with pytest.raises(Malformed):
        keeper_of(b"{}")


class Nothing:
    kind = "nothing"

    def wrap(self, secret, context):
        return b"x"

    def unwrap(self, wrapped, context):
        return Secret(b"another")


def test_a_service_that_gives_back_something_else_seals_nothing() -> None:
    with pytest.raises(Unavailable, match="give back"):
        MasterKey(bytes(32)).seal_under_service(Nothing(), operating_system, profile="test")


def test_kms_refuses_what_is_not_signed_well(kms, tmp_path) -> None:
    with pytest.raises(NotPermitted, match="access denied"):
        service_at(kms_at(kms, tmp_path, secret="wrong/secret")).wrap(SECRET, b"c")
    good = service_at(kms_at(kms, tmp_path))
    assert good.unwrap(good.wrap(SECRET, b"c"), b"c") == SECRET
    with pytest.raises(NotFound):
        service_at(kms_at(kms, tmp_path, key="alias/nobody")).wrap(SECRET, b"c")
    with pytest.raises(NotAuthentic):
        good.unwrap(good.wrap(SECRET, b"c"), b"d")
    with pytest.raises(NotAuthentic):
        good.unwrap(b"nonsense", b"c")


def test_the_simulator_takes_a_signature_of_the_vendors_signer_and_no_changed_request() -> None:
    credentials = botocore.credentials.Credentials(ACCESS_KEY, SECRET_KEY)
    body = b'{"KeyId":"k"}'
    headers = {"X-Amz-Target": "TrentService.Encrypt", "Host": "127.0.0.1:1"}
    made = botocore.awsrequest.AWSRequest("POST", "http://127.0.0.1:1/", headers, body)
    botocore.auth.SigV4Auth(credentials, "kms", REGION).add_auth(made)
    fields = tuple((name.lower(), value) for name, value in made.headers.items())
    request = Request("POST", "/", body, fields)
    assert signature_wrong(request, "kms") == ""
    for changed in (
        Request("POST", "/", body + b" ", fields),
        Request("PUT", "/", body, fields),
        Request("POST", "/a", body, fields),
        Request("POST", "/", body, tuple(one for one in fields if one[0] != "authorization")),
        Request("POST", "/", body, (*(one for one in fields if one[0] != "x-amz-target"),
                                    ("x-amz-target", "TrentService.Decrypt"))),
    ):  # fmt: skip
        assert signature_wrong(changed, "kms")
    assert signature_wrong(request, "s3")


def test_credentials_do_not_come_out_of_the_environment(kms, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    nothing = tmp_path / "empty"
    nothing.write_text("", encoding="ascii")
    at = f"aws-kms://{KEY}?region={REGION}&endpoint={kms.url}&credentials={nothing}"
    with pytest.raises(NotPermitted, match="nothing signs"):
        service_at(at).wrap(SECRET, b"c")
    assert not kms.seen


@pytest.mark.parametrize(
    ("code", "times", "error"),
    [
        ("ThrottlingException", 2, None),
        ("ThrottlingException", 4, Unavailable),
        ("KMSInternalException", 1, Unavailable),
        ("DisabledException", 1, Unavailable),
        ("AccessDeniedException", 1, NotPermitted),
    ],
)
def test_what_kms_may_answer_instead(kms, tmp_path, monkeypatch, code, times, error) -> None:
    waited: list[float] = []
    monkeypatch.setattr("botocore.endpoint.time.sleep", waited.append)
    service = service_at(kms_at(kms, tmp_path))
    kms.faults = [(400, {"__type": code})] * times
    if error is None:
        service.wrap(SECRET, b"c")
        assert len(waited) == times
        return
    with pytest.raises(error):
        service.wrap(SECRET, b"c")
    assert len(kms.seen) == times


def test_a_transit_engine_refuses_who_brings_another_token(transit, tmp_path) -> None:
    with pytest.raises(NotPermitted, match="permission denied"):
        service_at(transit_at(transit, tmp_path, client="hvs.other")).wrap(SECRET, b"c")
    with pytest.raises(NotAuthentic):
        service_at(transit_at(transit, tmp_path, name="nobody")).wrap(SECRET, b"c")
    good = service_at(transit_at(transit, tmp_path))
    wrapped = good.wrap(SECRET, b"c")
    assert wrapped.startswith(b"vault:v1:")
    assert transit.seen[-1] == "/v1/transit/prod/encrypt/tallystick"
    assert good.unwrap(wrapped, b"c") == SECRET
    with pytest.raises(NotAuthentic):
        good.unwrap(wrapped, b"d")


@pytest.mark.parametrize(
    ("status", "times", "error"),
    [
        (429, 2, None),
        (503, 4, Unavailable),
        (500, 4, Unavailable),
        (404, 1, NotFound),
        (403, 1, NotPermitted),
    ],
)
def test_what_a_transit_engine_may_answer_instead(transit, status, times, error) -> None:
    waited: list[float] = []
    where = TransitKey(transit.url, "transit/prod", "tallystick", Secret(CLIENT))
    service = VaultTransit(where, pause=waited.append)
    transit.faults = [Response(status, b"{}", fields=(("retry-after", "2"),))] * times
    if error is None:
        service.wrap(SECRET, b"c")
        assert waited == [2, 2]
        return
    with pytest.raises(error) as caught:
        service.wrap(SECRET, b"c")
    assert len(transit.seen) == times
    assert len(waited) == times - 1 <= len(WAITS_S)
    assert CLIENT not in str(caught.value)


def test_a_service_that_is_not_there_is_named(tmp_path, monkeypatch, request) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    kept = socket.socket()  # bound and deaf: nobody else comes to listen there meanwhile
    request.addfinalizer(kept.close)
    kept.bind(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{kept.getsockname()[1]}"
    (tmp_path / "client").write_text(CLIENT, encoding="ascii")
    where = TransitKey(url, "transit", "k", Secret(CLIENT))
    with pytest.raises(Unavailable, match="cannot be reached"):
        VaultTransit(where, pause=lambda _: None).wrap(SECRET, b"c")
    file = tmp_path / "credentials"
    file.write_text(
        "[default]\naws_access_key_id = a\naws_secret_access_key = b\n", encoding="ascii"
    )
    at = f"aws-kms://k?region={REGION}&endpoint={url}&credentials={file}"
    with pytest.raises(Unavailable, match="cannot be reached"):
        service_at(at).wrap(SECRET, b"c")


@pytest.mark.parametrize(
    "text",
    [
        "", "kms://a", "aws-kms://", "aws-kms://k", "aws-kms://k?region=a&region=b",
        "aws-kms://k?region=a&color=blue", "aws-kms://k?region=a&endpoint=http://example.org",
        "vault-transit://transit/k", "vault-transit://k?address=https://h&auth=file:/a",
        "vault-transit://t/k?address=http://example.org&auth=file:PIN",
        "vault-transit://t/k?address=https://h&auth=hvs.a-token-in-clear",
        "pkcs11:object=a", "pkcs11:object=a;object=b?module-path=/l&pin-source=/p",
        "pkcs11:object=a?module-path=/l", "pkcs11:type=cert;object=a?module-path=/l&pin-source=/p",
        "pkcs11:object=%zz?module-path=/l&pin-source=/p",
        "pkcs11:object=a?module-path=/l&pin-source=934271",
    ],
)  # fmt: skip
def test_addresses_that_name_no_service(text: str, tmp_path) -> None:
    pin = tmp_path / "pin"
    pin.write_text("x", encoding="ascii")
    with pytest.raises(Malformed):
        service_at(text.replace("PIN", str(pin)))


@pytest.mark.requirement("MFS-7.4.2-01")
def test_no_address_has_a_pin_in_it() -> None:
    with pytest.raises(NotPermitted, match="no PIN"):
        service_at("pkcs11:token=t;object=k?module-path=/l&pin-value=1234")


@pytest.mark.requirement("MFS-7.4.2-01")
def test_a_key_that_could_leave_the_token_seals_nothing() -> None:
    with soft_token() as token:
        tool("pkcs11-tool", "--module", LIBRARY, "--token-label", token.label, "--login",
             "--pin", PIN, "--keygen", "--key-type", "AES:32", "--label", "kek",
             "--extractable")  # fmt: skip
        service = service_at(
            f"pkcs11:token={token.label};object=kek?module-path={LIBRARY}"
            f"&pin-source=file:{token.pin_file}"
        )
        with pytest.raises(NotPermitted, match="could leave"):
            service.wrap(SECRET, b"c")
