"""Where vendors' lists may come from, how one is fetched, and what the doctor and commands say."""

import json
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulators.keymint import SimulatedFactory
from simulators.vendor_lists import (
    REVOKED,
    Fault,
    ListServer,
    models_file,
    roots_list,
    status_list,
)
from tests.support.attested import AT
from tests.support.certificates import certificate_files
from tests.unit.entry.cli.command_line import tallystick
from tests.unit.entry.test_doctor import at, folder, original

from tallystick.entry.doctor import Finding, State
from tallystick.entry.doctor.vendors import look_at_vendors
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.vendors.fetching import Fetch, Fetched
from tallystick.entry.vendors.reading import ReadList, read_list
from tallystick.entry.vendors.rounds import wait_ms
from tallystick.entry.vendors.sources import FILE, Source, save_sources, sources_in
from tallystick.infrastructure.attestation.android.revocation import read_revocations
from tallystick.infrastructure.attestation.android.roots import read_roots
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import (
    Malformed,
    NotAuthentic,
    NotFound,
    NotPermitted,
    TooLarge,
    Unavailable,
)
from tallystick.kernel.time import DAY_MS, Instant
from tallystick.process.attestation.lists import ListName

__all__ = ["folder", "original"]

AAGUID = "00112233-4455-6677-8899-aabbccddeeff"
GOOD = {"url": "https://lists.example/status"}


@pytest.fixture
def lists() -> Iterator[ListServer]:
    with ListServer() as server:
        server.publish(REVOKED, status_list({"ab": "REVOKED"}), AT, max_age_s=600)
        yield server


def fetched(lists: ListServer, tag: str = "", changed: str = "", most: int = 10_000) -> Fetched:
    return Fetch(lists.url + REVOKED, tag=tag, changed=changed, most=most).run()


def test_sources_are_read_as_they_were_saved(tmp_path: Path) -> None:
    assert sources_in(tmp_path) == {}
    said = {"android-revoked": Source(**GOOD), "fido-models": Source(**GOOD, every_s=86_400,
            oldest_s=604_800)}  # fmt: skip
    save_sources(tmp_path, said)
    assert sources_in(tmp_path) == said
    (tmp_path / FILE).write_text('{"v":2,"lists":{}}')
    with pytest.raises(Malformed, match="version"):
        sources_in(tmp_path)


@pytest.mark.parametrize(
    ("name", "said", "error"),
    [
        ("of-somebody", GOOD, Malformed),
        ("android-revoked", {"url": "http://lists.example/status"}, NotPermitted),
        ("android-revoked", {"url": "http://127.0.0.1.example/status"}, NotPermitted),
        ("android-revoked", {"url": "ftp://lists.example/status"}, Malformed),
        ("android-revoked", {"url": "file:///etc/passwd"}, Malformed),
        ("android-revoked", {"url": "https://name:word@lists.example/status"}, Malformed),
        ("android-revoked", {"url": "https://lists.example/status?key=1"}, Malformed),
        ("android-revoked", {"url": "https://lists.example/a\r\nhost: b"}, Malformed),
        ("android-revoked", {"url": "https://lists.example:status/"}, Malformed),
        ("android-revoked", {"url": "https://lists.example:99999/status"}, Malformed),
        ("android-revoked", {"url": "https://lists.example:0/status"}, Malformed),
        ("android-revoked", {"url": "https://[::1/status"}, Malformed),
        ("android-revoked", {"url": "https://lists example/status"}, Malformed),
        ("android-revoked", {**GOOD, "every_s": 59}, Malformed),
        ("android-revoked", {**GOOD, "every_s": 8 * 86_400, "oldest_s": 30 * 86_400}, Malformed),
        ("android-revoked", {**GOOD, "every_s": 3600, "oldest_s": 7199}, Malformed),
    ],
)
def test_a_source_that_may_not_be_asked_is_refused(
    tmp_path: Path, name: str, said: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        save_sources(tmp_path, {name: Source(**said)})  # type: ignore[arg-type]
    assert not (tmp_path / FILE).exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "vendors.json"),
        ('{"v":1,"lists":{"android-revoked":{"url":"https://lists.example/s"}}', "vendors.json"),
        ('{"v":1,"lists":{"android-revoked":{"adress":"https://lists.example/s"}}}', "adress"),
        ('{"v":1,"lists":{"of-somebody":{"url":"https://lists.example/s"}}}', "of-somebody"),
        ('{"v":1,"lists":{"fido-models":{"url":"http://lists.example/s"}}}', "fido-models: a vend"),
    ],
)
def test_a_file_that_is_wrong_says_which_where_and_what_to_do(
    tmp_path: Path, text: str, says: str
) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises((Malformed, NotPermitted)) as refused:
        sources_in(tmp_path)
    assert refused.value.detail.startswith("vendors.json: ")
    assert says in refused.value.detail
    assert refused.value.remedy


def test_a_file_that_cannot_be_read_is_no_missing_one(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(Unavailable, match=r"vendors\.json cannot be read"):
        sources_in(tmp_path)


def test_a_list_comes_with_what_is_given_back_next_time(lists: ListServer) -> None:
    first = fetched(lists)
    assert first.octets == lists.lists[REVOKED].octets
    assert (first.issued_at, first.max_age_s) == (AT // 1000 * 1000, 600)
    again = fetched(lists, first.tag, first.changed)
    assert again.octets is None
    by_date = fetched(lists, "", first.changed)
    assert by_date.octets is None
    lists.publish(REVOKED, status_list({}), AT + 5000)
    assert fetched(lists, first.tag, first.changed).octets == status_list({})


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.BROKEN, Unavailable),
        (Fault.CUT, Unavailable),
        (Fault.ELSEWHERE, Unavailable),
        (Fault.STUBBORN, Unavailable),
        (Fault.ENCODED, Malformed),
        (Fault.HUGE, TooLarge),
        (Fault.GARBAGE, Malformed),
    ],
)
def test_an_answer_that_is_no_list_is_refused_whole(
    lists: ListServer, fault: Fault, error: type[Exception]
) -> None:
    lists.fails(REVOKED, fault)
    with pytest.raises(error):
        read_revocations(fetched(lists).octets or b"")
    assert [one.path for one in lists.heard] == [REVOKED], "nothing was followed"


def test_a_server_that_is_not_there_does_not_answer() -> None:
    with ListServer() as server:
        url = server.url
    with pytest.raises(Unavailable, match="does not answer"):
        Fetch(url + REVOKED).run()


def tls_of(chain: Path, private: Path) -> ssl.SSLContext:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(chain, private)
    return tls


def test_over_https_only_a_server_with_a_believed_certificate_is_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain, private = certificate_files(tmp_path)
    with ListServer(tls=tls_of(chain, private)) as server:
        server.publish(REVOKED, status_list({"ab": "REVOKED"}), AT)
        with pytest.raises(Unavailable):
            fetched(server)
        assert server.heard == []
        monkeypatch.setenv("SSL_CERT_FILE", str(chain))
        assert fetched(server).octets == status_list({"ab": "REVOKED"})
        server.fails(REVOKED, Fault.SLOW)
        fetch = Fetch(server.url + REVOKED)
        cutter = threading.Timer(0.3, fetch.cut)
        cutter.start()
        with pytest.raises(Unavailable, match=r"took too long|early"):
            fetch.run()
        cutter.join()


@pytest.mark.parametrize("fault", [Fault.SILENT, Fault.SLOW])
def test_a_request_is_ended_from_another_thread(lists: ListServer, fault: Fault) -> None:
    lists.fails(REVOKED, fault)
    fetch, errors = Fetch(lists.url + REVOKED, most=2**40), list[Exception]()

    def run() -> None:
        try:
            fetch.run()
        except Unavailable as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    while not lists.heard:
        thread.join(0.01)
    fetch.cut()
    thread.join(5)
    assert not thread.is_alive()
    assert len(errors) == 1


def read(name: ListName, octets: bytes, root: Path, at_ms: int = AT) -> ReadList:
    return read_list(name, octets, root, "https://lists.example", Instant(at_ms))


def test_each_list_is_read_by_its_reader(tmp_path: Path) -> None:
    factory = SimulatedFactory(AT)
    found = read(ListName.REVOKED, status_list({"0AB": "REVOKED", "c": "SUSPENDED"}), tmp_path)
    assert found.said == {"ab": "revoked: UNSPECIFIED", "c": "suspended: UNSPECIFIED"}
    assert found.listed.members == 2
    roots = read(ListName.ROOTS, roots_list(factory.root_pem()), tmp_path)
    assert list(roots.said.values()) == ["Simulated Root, no hardware"]
    file = models_file(factory, 7, {AAGUID: ["FIDO_CERTIFIED", "REVOKED"]}, due="2026-02-01")
    with pytest.raises(NotFound, match="under which root"):
        read(ListName.MODELS, file, tmp_path)
    (tmp_path / "attestation-models.pem").write_text(factory.root_pem())
    models = read(ListName.MODELS, file, tmp_path)
    assert models.said == {AAGUID.replace("-", ""): "REVOKED"}
    assert (models.listed.number, models.listed.members) == (7, 1)
    assert models.listed.due_at == 1_769_904_000_000
    with pytest.raises(NotAuthentic):
        read(ListName.MODELS, models_file(SimulatedFactory(AT), 7, {}), tmp_path)
    with pytest.raises(NotAuthentic, match="not valid then"):
        read(ListName.MODELS, file, tmp_path, AT + 40 * 365 * DAY_MS)
    with pytest.raises(Malformed, match="no day"):
        read(ListName.MODELS, models_file(factory, 7, {}, due="soon"), tmp_path)


@pytest.mark.parametrize("status", [[], {}, 1, None, ["REVOKED"], "revoked"])
def test_a_list_with_an_entry_of_another_shape_is_refused_whole(status: object) -> None:
    entries = {"ab": {"status": "REVOKED"}, "cd": {"status": status}}
    with pytest.raises(Malformed):
        read_revocations(json.dumps({"entries": entries}).encode())


@pytest.mark.parametrize("serial", ["ab\n", "xy", "a b", "0" * 3 + "f" * 65])
def test_a_serial_is_hexadecimal_and_nothing_else(serial: str) -> None:
    with pytest.raises(Malformed):
        read_revocations(status_list({serial: "REVOKED"}))


@pytest.mark.parametrize("algorithm", [[], {}, None, 7, ["ES256"]])
def test_models_under_a_header_of_another_shape_are_refused(
    tmp_path: Path, algorithm: object
) -> None:
    (tmp_path / "attestation-models.pem").write_text(SimulatedFactory(AT).root_pem())
    head = b64url(json.dumps({"alg": algorithm, "x5c": []}).encode())
    with pytest.raises(Malformed):
        read(ListName.MODELS, f"{head}.e30.e30".encode(), tmp_path)


@pytest.mark.parametrize(
    "wrong", [[], [1], ["no certificate"], {}, ["-----BEGIN CERTIFICATE-----"]]
)
def test_a_list_of_roots_is_whole_or_none(wrong: object) -> None:
    with pytest.raises(Malformed):
        read_roots(json.dumps(wrong).encode())


def looked_at(folder: ProviderFolder, ahead_ms: int = 0) -> dict[str, Finding]:
    return {one.what: one for one in look_at_vendors(folder, at(ahead_ms).now())}


def test_the_doctor_sees_a_list_that_was_never_fetched_and_sources_of_another_form(
    folder: ProviderFolder,
) -> None:
    assert looked_at(folder)["list android-revoked"].state is State.FINE
    save_sources(folder.root, {"fido-models": Source(**GOOD)})
    found = looked_at(folder)["list fido-models"]
    assert found.state is State.WRONG
    assert "never fetched" in found.says
    (folder.root / FILE).write_text("{}")
    assert looked_at(folder)["vendors' lists"].state is State.WRONG


def test_the_doctor_sees_a_list_by_hand_grow_old(folder: ProviderFolder) -> None:
    (folder.root / "attestation-revoked.json").write_bytes(status_list({}))
    assert looked_at(folder)["list android-revoked"].state is State.FINE
    found = looked_at(folder, 400 * DAY_MS)["list android-revoked"]
    assert found.state is State.SOON
    assert "no trust" in found.says


def test_commands_set_show_and_remove_sources(folder: ProviderFolder) -> None:
    root = folder.root
    assert tallystick("vendors", "set", root, "android-revoked", "--url", GOOD["url"]).code == 0
    assert sources_in(root) == {"android-revoked": Source(**GOOD)}
    shown = tallystick("vendors", "list", root)
    assert GOOD["url"] in shown.out
    assert "none yet" in shown.out
    [one] = json.loads(tallystick("vendors", "list", root, "--json").out)
    assert one["source"]["every_s"] == 3600
    refused = tallystick("vendors", "set", root, "fido-models", "--url", "http://lists.example/")
    assert refused.code == 1
    assert "https" in refused.err
    assert tallystick("vendors", "remove", root, "android-revoked").code == 0
    assert tallystick("vendors", "remove", root, "android-revoked").code == 1
    assert sources_in(root) == {}


@given(
    every=st.integers(1, 604_800),
    failures=st.integers(0, 1000),
    good=st.integers(-1, 10**9),
    part=st.integers(0, 999),
)
def test_a_source_is_asked_within_its_period_and_not_in_a_hurry(
    every: int, failures: int, good: int, part: int
) -> None:
    found = wait_ms(every, failures, good, part)
    assert 0 < found <= every * 1000
    assert found >= min(every, 5 if failures else 60) * 1000 // 2 - 1


def test_failures_make_requests_rarer_up_to_the_period() -> None:
    waits = [wait_ms(3600, failures, -1, 999) for failures in range(1, 20)]
    assert waits == sorted(waits)
    assert waits[0] < 5_000
    assert waits[-1] > 3_590_000
    assert wait_ms(3600, 3, -1, 0) < wait_ms(3600, 3, -1, 999)
    assert wait_ms(3600, 0, 120, 999) < 120_000 < wait_ms(3600, 0, 10**9, 999)
