"""Why something was refused or stopped is read in the customer's language, on every channel."""

from collections.abc import Iterator

import pytest
from simulators.feature_phone import FeaturePhone
from tests.support.lived import Lived, lived
from tests.support.recovered import PIN, TILL, ZONE

from tallystick.application.channels.texts import TEXTS, Text
from tallystick.application.devices import Reason
from tallystick.application.notices.texts.reasons import REASONS
from tallystick.protocol.channels import Language
from tallystick.protocol.operators import OpenCustomer, SuspendDevice
from tallystick.protocol.recovery import RestAccount

CHOICE = {Language.ENGLISH: "1", Language.FRENCH: "2", Language.SWAHILI: "3"}
NOBODY = "+254722999999"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    with lived(tmp_path_factory.mktemp("refusals") / "p") as found:
        yield found


def newcomer(town: Lived) -> FeaturePhone:
    """Somebody new who dials, and has no PIN yet."""
    scene, number = town.scene, town.scene.number()
    scene.agent.session.establish()
    asked = OpenCustomer(name="Dora Dial", msisdn=number, kind="person", tier=1, zone=ZONE)
    scene.agent.wallet.open_customer(asked)
    return scene.phone(number)


@pytest.mark.requirement("MFS-7.3.6-03")
@pytest.mark.parametrize("language", Language)
def test_whoever_dials_reads_what_helps_in_their_language(town: Lived, language: Language) -> None:
    phone, says, friend = newcomer(town), TEXTS[language], town.scene.friend.number
    code = town.scene.code(phone.number)
    phone.dial("7", CHOICE[language])
    assert phone.dial("1", friend, "5", PIN.reveal())[-1] == says[Text.FIRST_PIN]
    wrong = phone.dial("6", "0000-0000", PIN.reveal(), PIN.reveal())[-1]
    assert wrong.split("\n") == [says[Text.CODE_REFUSED], says[Text.ASK_ACTIVATION]]
    phone.set_pin(code, PIN)
    assert phone.dial("8", "1")[-1] == says[Text.NO_RECOVERY]
    assert phone.dial("8", "3", PIN.reveal())[-1] == says[Text.NO_PHONE]
    assert phone.dial("1", phone.number, "5")[-1] == says[Text.YOURSELF]
    assert phone.dial("3", TILL, "5")[-1] == says[Text.CANNOT_BE_PAID]
    unknown = phone.dial("1", NOBODY, "5")[-1]
    assert unknown == says[Text.UNKNOWN_NUMBER] or language is Language.ENGLISH
    town.scene.care("rest-account", RestAccount(number=phone.number, because="unused for a year"))
    for path in (("5", PIN.reveal()), ("1", friend, "5"), ("7", "1")):
        assert phone.dial(*path)[-1] == says[Text.ACCOUNT_STOPPED]
    assert phone.dial("8", "5", "2")[-1].endswith(says[Text.MORE]), "it can still be read"


@pytest.mark.requirement("MFS-7.3.6-03")
@pytest.mark.parametrize("language", Language)
def test_a_phone_that_its_owner_or_staff_stopped_is_told_of_in_their_language(
    town: Lived, language: Language
) -> None:
    first = town.person()
    second = town.another(first)
    town.scene.phone(first.number).dial("7", CHOICE[language])
    town.own(second).steer(town.name(first), "suspend")
    own = REASONS[language][Reason.SUSPENDED]
    town.told(first, own)
    shown = {one.device: one.because for one in town.own(second).devices()}
    assert shown[town.name(first)] == own
    body = SuspendDevice(device=town.name(first), suspend=True, because="suspect of case 4711")
    town.scene.care("suspend-device", body)
    town.told(first, REASONS[language][Reason.STAFF])
    inbox = town.scene.provider.smsc.inbox(first.number)
    assert not any("suspect" in one.text for one in inbox)
    shown = {one.device: one.because for one in town.own(second).devices()}
    assert shown[town.name(first)] == "suspect of case 4711", "an operator's words stay as they are"
