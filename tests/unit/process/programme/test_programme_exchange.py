"""To and from the files of other tools: what was said comes back, what was not said is asked."""

import json
from pathlib import Path

import jsonschema
import pytest
from tests.unit.process.programme.programmes import NOW, SMALL, programme

from tallystick.kernel.errors import Malformed, TooLarge
from tallystick.process.programme.checks import check_programme
from tallystick.process.programme.exchange.foreign import MAX_FOREIGN, read_json, read_yaml
from tallystick.process.programme.exchange.otm import export_otm, sketch_otm
from tallystick.process.programme.exchange.sketch import Slugs, guess_kind, slug
from tallystick.process.programme.exchange.threagile import sketch_threagile
from tallystick.process.programme.exchange.writing import programme_text
from tallystick.process.programme.reading import open_questions, read_programme
from tallystick.process.programme.templates import PROFILES
from tallystick.process.programme.words import Bearer, Impact, NodeKind

SHOP = {
    "otmVersion": "0.2.0",
    "project": {"name": "Corner Shop", "id": "9f1c-77", "owner": 'Ann "the shop"\nWanjiru'},
    "trustZones": [
        {"id": "b61d6911", "name": "Public Cloud", "risk": {"trustRating": 60}},
        {"id": "f0ba7722", "name": "Internet", "risk": {}},
    ],
    "components": [
        {
            "id": "c-1",
            "name": "Payer's App",
            "type": "android-app",
            "parent": {"trustZone": "f0ba7722"},
        },
        {"id": "c-2", "name": "Cluster", "type": "container", "parent": {"trustZone": "b61d6911"}},
        {
            "id": "c-3",
            "name": "Book",
            "type": "postgresql-database",
            "parent": {"component": "c-2"},
            "assets": {"stored": ["a-1"]},
        },
        {"id": "c-4", "name": "Thing", "type": "blob", "parent": {"trustZone": "nowhere"}},
    ],
    "assets": [
        {"id": "a-1", "name": "Orders", "risk": {"confidentiality": 50, "integrity": 100}},
    ],
    "dataflows": [
        {
            "id": "f-1",
            "name": "order",
            "source": "c-1",
            "destination": "c-2",
            "assets": ["a-1", "a-9"],
            "bidirectional": True,
        },
        {"id": "f-2", "name": "order", "source": "c-2", "destination": "c-3", "assets": ["a-1"]},
        {"id": "f-3", "name": "astray", "source": "c-2", "destination": "nobody"},
    ],
    "threats": [{"id": "t-1", "name": "a: # theft", "risk": {"likelihood": 1, "impact": 1}}],
}

MODEL = """\
threagile_version: 1.0.0
title: Small Shop
date: 2026-03-31
author: {name: Ann}
questions:
  Open?: ""
data_assets:
  Orders:
    id: orders
    tags:
    confidentiality: confidential
    integrity: mission-critical
    availability: operational
technical_assets:
  Customer's Browser:
    id: customer
    type: external-entity
    technology: browser
    internet: true
    data_assets_processed: [orders]
    communication_links:
      Buy:
        target: shop
        protocol: https
        data_assets_sent: [orders]
        data_assets_received: [orders]
      Astray:
        target: nobody
        protocol: https
  Shop:
    id: shop
    type: process
    technology: web-server
    communication_links:
      Keep it:
        target: book
        protocol: jdbc-encrypted
        data_assets_sent: [orders]
        data_assets_received:
  Book:
    id: book
    type: datastore
    technology: database
    data_assets_stored: [orders]
    communication_links:
trust_boundaries:
  Hosting:
    id: hosting
    type: network-cloud-provider
    technical_assets_inside: [shop, book]
"""


@pytest.mark.parametrize("name", PROFILES)
def test_our_own_documents_come_back_nearly_whole(name: str) -> None:
    before = programme(name)
    text = programme_text(sketch_otm(read_json(export_otm(before).encode())))
    after = read_programme(text)
    assert list(after.nodes) == list(before.nodes)
    for node in before.nodes.values():
        assert after.nodes[node.id].kind is node.kind
        assert after.nodes[node.id].zone == node.zone
    assert {one.id: one.trust for one in after.zones.values()} == {
        one.id: one.trust for one in before.zones.values()
    }
    for flow in before.flows.values():
        found = after.flows[flow.id]
        assert found.nodes() == flow.nodes()
        assert (found.bearer, found.protocol, found.end_to_end) == (
            flow.bearer,
            flow.protocol,
            flow.end_to_end,
        )
        assert (found.carries, found.reads) == (flow.carries, flow.reads)
    for asset in before.assets.values():
        found = after.assets[asset.id]
        assert (found.kind, set(found.kept_at)) == (asset.kind, set(asset.kept_at))
        assert (found.confidentiality, found.integrity, found.availability) == (
            asset.confidentiality,
            asset.integrity,
            asset.availability,
        )


@pytest.mark.parametrize("name", PROFILES)
def test_the_document_keeps_the_published_schema(name: str, test_data: Path) -> None:
    schema = test_data / "threat-models" / "otm_schema.json"
    if not schema.exists():
        pytest.skip(f"{schema.name} is absent from the public test data")
    document = json.loads(export_otm(programme(name)))
    jsonschema.validate(document, json.loads(schema.read_text()))


def test_the_document_has_what_the_form_demands() -> None:
    document = json.loads(export_otm(programme()))
    assert document["otmVersion"] == "0.2.0"
    assert {"name", "id"} <= set(document["project"])
    zones = {one["id"] for one in document["trustZones"]}
    components = {one["id"] for one in document["components"]}
    assets = {one["id"] for one in document["assets"]}
    assert all(one["parent"]["trustZone"] in zones for one in document["components"])
    for flow in document["dataflows"]:
        assert {flow["source"], flow["destination"]} <= components
        assert set(flow["assets"]) <= assets
    pin = next(one for one in document["assets"] if one["id"] == "pin")
    assert pin["risk"] == {"confidentiality": 50, "integrity": 50, "availability": 25}


def test_a_foreign_document_becomes_a_programme_full_of_questions() -> None:
    text = programme_text(sketch_otm(read_json(json.dumps(SHOP).encode())))
    found = read_programme(text)
    assert found.offer.owner == 'Ann "the shop" Wanjiru'
    kinds = {one.id: one.kind for one in found.nodes.values()}
    assert kinds == {
        "c-1": NodeKind.MOBILE_APP,
        "c-2": NodeKind.PLATFORM,
        "c-3": NodeKind.DATABASE,
        "c-4": NodeKind.PLATFORM,
    }
    assert found.nodes["c-3"].zone == found.nodes["c-2"].zone == "b61d6911"
    assert found.nodes["c-4"].zone == "unplaced"
    assert found.zones["f0ba7722"].trust == 0
    orders = found.assets["a-1"]
    assert orders.confidentiality is Impact.MODERATE
    assert orders.integrity is orders.availability is Impact.SEVERE
    assert found.flows["f-1"].reads == ("c-1", "c-2")
    assert found.flows["f-1"].carries == ("a-1",)
    asked = " | ".join(question for _, question in open_questions(text))
    for part in (
        "how far is it trusted",
        "is blob a platform; in which zone does it stand",
        "how bad is the loss of availability",
        "over which bearer; under which protocol; who reads it in clear",
        "what goes back is a flow of its own",
        "in which currency",
        "who attacks",
    ):
        assert part in asked, part
    assert "# not taken over: astray: joins what is no component" in text
    assert "# not taken over: threat a: # theft" in text


def test_a_threagile_model_becomes_a_programme_full_of_questions() -> None:
    text = programme_text(sketch_threagile(read_yaml(MODEL.encode())))
    found = read_programme(text)
    assert found.offer.id == "small-shop"
    assert {one.id: (one.kind, one.zone) for one in found.nodes.values()} == {
        "customer": (NodeKind.BROWSER, "no-boundary"),
        "shop": (NodeKind.PLATFORM, "hosting"),
        "book": (NodeKind.DATABASE, "hosting"),
    }
    orders = found.assets["orders"]
    assert orders.kept_at == ("book",)
    assert (orders.confidentiality, orders.integrity, orders.availability) == (
        Impact.MAJOR,
        Impact.SEVERE,
        Impact.MINOR,
    )
    buy, back, keep = (found.flows[one] for one in ("buy", "buy-back", "keep-it"))
    assert (buy.source, buy.target, buy.bearer) == ("customer", "shop", Bearer.INTERNET)
    assert (back.source, back.target) == ("shop", "customer")
    assert (keep.protocol, keep.bearer) == ("jdbc-encrypted", Bearer.LAN)
    assert "# not taken over: Customer's Browser, Astray" in text
    assert open_questions(text)
    assert not [one for one in check_programme(found, NOW) if one.sort == "lonely-node"]


@pytest.mark.parametrize("octets", [b"", b"[]", b"{", b'{"otmVersion": "0.2.0"}', b"\xff"])
def test_what_is_no_model_is_refused(octets: bytes) -> None:
    with pytest.raises(Malformed):
        sketch_otm(read_json(octets))
    with pytest.raises(Malformed):
        sketch_threagile(read_yaml(octets))


def test_a_document_without_end_is_refused() -> None:
    with pytest.raises(TooLarge):
        read_yaml(b" " * (MAX_FOREIGN + 1))
    with pytest.raises(TooLarge):
        read_json(b" " * (MAX_FOREIGN + 1))


HOSTILE = "x\u2028y\n  evil: 1 # \x00 'q\" }]"


def test_foreign_words_cannot_add_to_the_programme() -> None:
    document = json.loads(json.dumps(SHOP))
    document["otmVersion"] = HOSTILE
    document["project"]["owner"] = HOSTILE
    for section in ("trustZones", "components", "assets", "dataflows", "threats"):
        for one in document[section]:
            one["name"] = HOSTILE
    document["components"][3]["type"] = HOSTILE
    document["dataflows"][0]["attributes"] = {"protocol": HOSTILE, "bearer": HOSTILE}
    text = programme_text(sketch_otm(read_json(json.dumps(document).encode())))
    found = read_programme(text)
    assert len(found.nodes) == 4
    assert len(found.flows) == 2
    model = MODEL.replace("Astray:", json.dumps(HOSTILE) + ":").replace(
        "web-server", json.dumps(HOSTILE)
    )
    read_programme(programme_text(sketch_threagile(read_yaml(model.encode()))))


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Payer's App", "payer-s-app"), ("9", "x-9"), ("", "x-1"), ("é", "x-1"), ("a" * 90, "a" * 48)],
)
def test_a_name_becomes_a_slug(name: str, expected: str) -> None:
    assert slug(name) == expected


def test_no_two_names_share_a_slug() -> None:
    slugs = Slugs()
    assert [slugs.give(one) for one in ("Pay!", "pay", "Pay!", "PAY")] == [
        "pay",
        "pay-2",
        "pay",
        "pay-3",
    ]
    assert slugs.find("unknown") == ""
    assert slugs.found(["pay", "unknown", "pay"]) == ("pay-2",)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("hsm", NodeKind.MODULE),
        ("API Gateway", NodeKind.GATEWAY),
        ("identity-store-database", NodeKind.DATABASE),
        ("Web Application", NodeKind.PLATFORM),
        ("something else", None),
    ],
)
def test_a_kind_is_guessed(said: str, kind: NodeKind | None) -> None:
    assert guess_kind(said) is kind


def test_what_is_exported_does_not_depend_on_the_run() -> None:
    assert export_otm(programme(SMALL)) == export_otm(programme(SMALL))
