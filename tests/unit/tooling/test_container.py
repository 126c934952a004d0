"""The platform in a container: the file of services, how the image is made, when it is ready."""

import datetime as dt
import http.server
import ipaddress
import json
import re
import ssl
import subprocess
import sys
import threading
import tomllib
from copy import deepcopy
from pathlib import Path

import jsonschema
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from ruamel.yaml import YAML
from tests.unit.entry.cli.command_line import ROOT, tallystick
from tests.unit.tooling.containerfile import read, wrong

FOLDER = ROOT / "deploy" / "container"
COMPOSE = YAML(typ="safe").load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
CONTAINERFILE = (FOLDER / "Containerfile").read_text(encoding="utf-8")
SUBSET = json.loads(Path(__file__).with_name("compose_subset.json").read_text(encoding="utf-8"))
# schema/compose-spec.json of github.com/compose-spec/compose-spec, put there by whoever has it.
WHOLE = ROOT / "var" / "compose-spec.json"


def test_the_services_use_what_the_project_uses_of_compose() -> None:
    jsonschema.Draft202012Validator.check_schema(SUBSET)
    jsonschema.validate(COMPOSE, SUBSET, cls=jsonschema.Draft202012Validator)


@pytest.mark.skipif(not WHOLE.is_file(), reason=f"the Compose specification is not at {WHOLE}")
def test_the_services_fit_the_specification_of_compose() -> None:
    schema = json.loads(WHOLE.read_text(encoding="utf-8"))
    jsonschema.Draft7Validator(schema).validate(COMPOSE)


def changed(path: str, value: object) -> object:
    """The file of services with another value at a path of names."""
    whole = deepcopy(COMPOSE)
    *names, last = path.split("/")
    place = whole
    for name in names:
        place = place[name]
    place[last] = value
    return whole


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("services/provider/user", "0:0"),
        ("services/provider/read_only", False),
        ("services/provider/privileged", True),
        ("services/provider/cap_drop", []),
        ("services/provider/network_mode", "host"),
        ("services/provider/image", "tallystick"),
        ("services/provider/healthcheck", {}),
        ("services/database/environment", {"POSTGRES_PASSWORD": "x"}),
        ("services/database/volumes", [{"type": "bind", "source": "./x", "target": "/x"}]),
        ("secrets/provider_secret", {"environment": "SECRET"}),
    ],
)
def test_a_breach_of_the_subset_is_found(path: str, value: object) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(changed(path, value), SUBSET, cls=jsonschema.Draft202012Validator)


def test_what_a_service_names_is_there() -> None:
    used = {kind: set() for kind in ("networks", "secrets", "volumes")}
    for service in COMPOSE["services"].values():
        used["networks"] |= set(service.get("networks", []))
        used["secrets"] |= set(service["secrets"])
        for volume in service["volumes"]:
            if volume["type"] == "volume":
                used["volumes"].add(volume["source"])
            else:
                assert (FOLDER / volume["source"]).is_file()
        assert set(service.get("depends_on", {})) <= COMPOSE["services"].keys()
    for kind, names in used.items():
        assert names == COMPOSE[kind].keys(), kind


def test_every_secret_that_a_command_reads_is_given_to_the_service() -> None:
    for name, service in COMPOSE["services"].items():
        words = json.dumps([service["command"], service.get("environment", {})])
        assert set(re.findall(r"/run/secrets/(\w+)", words)) == set(service["secrets"]), name


@pytest.mark.parametrize("name", ["provider", "recheck"])
def test_the_command_has_every_option_that_the_service_gives(name: str) -> None:
    words = COMPOSE["services"][name]["command"]
    shown = tallystick(words[0], "--help")
    assert shown.code == 0, shown.all
    for option in (word for word in words if word.startswith("--")):
        assert re.search(rf"{option}\b", shown.out), option


def test_the_image_is_made_as_it_should_be() -> None:
    instructions = read(CONTAINERFILE)
    assert not list(wrong(instructions))
    for one in instructions:
        if one.word == "COPY" and "--from" not in one.rest:
            assert (ROOT / one.rest.split()[0]).exists(), one.rest
    (account,) = [one.rest for one in instructions if one.word == "USER"]
    assert COMPOSE["services"]["provider"]["user"] == account


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("USER 10001:10001\n", "", "it runs as root"),
        ("USER 10001:10001", "USER 0:0", "it runs as root"),
        ("USER 10001:10001", "USER 10001:10001\nRUN true", "it runs something after"),
        (" --require-hashes", "", "packages without hashes"),
        ("COPY src/tallystick /opt/tallystick/src/tallystick", "COPY ./ /opt/", "it copies"),
        ("ENV PATH", "ENV SECRET=x PATH", "a secret in the environment"),
        ("STOPSIGNAL SIGTERM\n", "", "not exactly one STOPSIGNAL"),
        ("FROM python:3.11-slim AS", "FROM python:latest AS", "a base without a version"),
    ],
)
def test_a_wrong_image_is_found(old: str, new: str, said: str) -> None:
    assert old in CONTAINERFILE
    found = list(wrong(read(CONTAINERFILE.replace(old, new, 1))))
    assert any(one.startswith(said) for one in found), found


@pytest.mark.parametrize(
    "line", ["ADD https://x /y", "FROM python", "USER root", "CMD serve", "from python:3 AS x"]
)
def test_an_instruction_that_is_not_known_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"unknown instruction|does not take"):
        read(f"{CONTAINERFILE}{line}\n")


def pinned(path: Path) -> dict[str, str]:
    found = re.findall(r"^([a-z0-9.-]+)==(\S+) \\$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return dict(found)


def test_the_image_has_the_packages_of_the_project_in_the_versions_of_its_lock() -> None:
    image, lock = pinned(FOLDER / "requirements.txt"), pinned(ROOT / "requirements.lock")
    assert image.items() <= lock.items()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {re.split(r"[\[<>=~ ]", one)[0].replace(".", "-") for one in project["dependencies"]}
    assert needed <= image.keys(), "write deploy/container/requirements.txt again"
    assert not {"pytest", "ruff", "mypy"} & image.keys()


class Health(http.server.BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/health/ready" else 404)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *words: object) -> None:
        pass


def self_signed(folder: Path, name: str) -> tuple[Path, Path]:
    private_key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    names = [x509.IPAddress(ipaddress.ip_address("192.0.2.1"))]
    certificate = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
        .public_key(private_key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1)).not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(private_key, hashes.SHA256())
    )  # fmt: skip
    chain, key_file = folder / f"{name}.pem", folder / f"{name}.key"
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        private_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return chain, key_file


@pytest.fixture
def service(tmp_path):
    """A service that says over TLS whether it is ready; its port and its certificate."""
    chain, key_file = self_signed(tmp_path, "service")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key_file)
    handler = type("ThisHealth", (Health,), {})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server.server_port, chain, handler
        server.shutdown()
        thread.join()


def ready(port: int, chain: Path) -> int:
    return subprocess.run(
        [sys.executable, FOLDER / "ready.py", str(port), chain], check=False, capture_output=True
    ).returncode


def test_the_health_check_believes_only_the_service_s_own_certificate(service, tmp_path) -> None:
    port, chain, handler = service
    assert ready(port, chain) == 0
    handler.status = 503
    assert ready(port, chain) == 1
    handler.status = 200
    other, _ = self_signed(tmp_path, "other")
    assert ready(port, other) == 1


def test_the_health_check_says_no_where_nobody_listens(tmp_path) -> None:
    chain, _ = self_signed(tmp_path, "nobody")
    with http.server.HTTPServer(("127.0.0.1", 0), Health) as server:
        port = server.server_port
    assert ready(port, chain) == 1
