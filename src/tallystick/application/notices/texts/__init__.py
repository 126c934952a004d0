"""The words of messages, one table a language; no text has a link or a number to call.

A table that lacks a message, has other fields than the English one, has a character outside the GSM
alphabet, or leads anywhere does not load.

Source: ISO/TS 12812-2:2017, 7.3.3; 7.3.6; 3GPP TS 23.038, 6.2.1
"""

import re
from collections.abc import Mapping
from string import Formatter
from typing import Final

from tallystick.application.notices.texts.words import Said
from tallystick.kernel.errors import Broken
from tallystick.protocol.channels import Language
from tallystick.protocol.gsm7 import places

_LEADS = re.compile(r"https?:|www\.|[A-Za-z]\.[A-Za-z]|[/@]|[*#]|[0-9]{3}", re.IGNORECASE)

_ENGLISH: Final[Mapping[Said, str]] = {
    Said.ACTIVATION: (
        "activation code {code}, valid {minutes} min. Only for your own phone or menu."
        " Tell it to nobody, also not to our staff."
    ),
    Said.SENT: "{amount} sent to {person}, fee {fee}. Receipt {receipt}.",
    Said.RECEIVED: (
        "{amount} from {person}. Receipt {receipt}. Check it in our menu before you give goods."
    ),
    Said.GIVEN_BACK: "{amount} given back to you. Payment reversed. Receipt {receipt}.",
    Said.TAKEN_BACK: "{amount} taken back from you. Payment reversed. Receipt {receipt}.",
    Said.DEVICE_SUSPENDED: (
        "a device of yours may no longer pay: {because}. If this surprises you, visit an agent."
    ),
    Said.PIN_BLOCKED_FOR: (
        "too many wrong PINs. Your PIN is blocked for {minutes} min. If this was not you, tell us."
    ),
    Said.PIN_BLOCKED: (
        "too many wrong PINs. Your PIN is blocked until you visit an agent."
        " If this was not you, tell us."
    ),
    Said.VERIFICATION_BLOCKED_FOR: (
        "your phone refused too many fingers, faces or PINs. It may not pay for {minutes} min."
        " Not you? Dial our menu, choose 8, then 3."
    ),
    Said.VERIFICATION_BLOCKED: (
        "your phone refused too many fingers, faces or PINs. It may pay once you see an agent."
        " Not you? Dial our menu, choose 8, then 3."
    ),
    Said.SIM_CHANGED: (
        "your SIM was changed or moved to another phone. Dialled payments wait for some time."
        " If this was not you, visit an agent."
    ),
    Said.NOT_ME: (
        "you told us that a payment request was not yours. Nothing was paid and others are stopped."
        " Visit an agent to go on."
    ),
    Said.RECOVERY_OPENED: (
        "somebody recovers your account, done in {hours} h. Not you? Dial our menu, choose 8."
    ),
    Said.RECOVERY_HALF: (
        "your account is still being recovered, {hours} h left. Not you? Dial our menu, choose 8."
    ),
    Said.RECOVERY_DONE: "your account was recovered. If this was not you, visit an agent at once.",
    Said.RECOVERY_CANCELLED: "the recovery of your account was stopped. Nothing was changed.",
    Said.ORDER_CODE: (
        "{code} confirms {amount} to {person}, {minutes} min. Only for our menu."
        " Tell it to nobody, also not to our staff."
    ),
    Said.DEVICE_ADDED: (
        "a further phone may now pay from your account. Not you? Dial our menu, choose 8, then 3."
    ),
    Said.DEVICE_RESUMED: (
        "a phone of yours may pay again. Not you? Dial our menu, choose 8, then 3."
    ),
    Said.DEVICE_LOST: (
        "your phone is blocked as lost. Your money is safe and yours. Dial our menu or"
        " visit an agent."
    ),
    Said.DEVICE_STOLEN: (
        "your stolen phone is out for good. Your money stays yours: get a new phone in"
        " with an agent."
    ),
    Said.DEVICE_LEAVING: (
        "the phone that you give away is out. Erase it first. Your money stays yours."
        " Not you? Visit an agent."
    ),
    Said.DEVICE_REMOVED: (
        "a phone of yours is out for good. Your money stays yours: by our menu, another"
        " phone or an agent."
    ),
    Said.DEVICE_RESTS_SOON: (
        "a phone of yours was not used for long and will rest soon. Open the app on it to keep it."
    ),
    Said.DEVICE_DORMANT: (
        "a phone of yours rests, as it was not used for long. Visit an agent to wake it."
        " Your money stays yours."
    ),
    Said.DEVICE_DELETED: "what we kept of a phone that you no longer use is erased.",
    Said.DEVICE_WIPED: "the phone that was taken out says that it erased our app's keys.",
    Said.CUSTOMER_SUSPENDED: (
        "your account is suspended: {because}. Nothing goes out or in; your money stays yours."
        " Visit an agent."
    ),
    Said.CUSTOMER_RESUMED: (
        "your account is open again: you may pay and be paid. Not expected? Visit an agent."
    ),
    Said.TIER_RAISED: (
        "your limits are higher from now on, as we know you better. Not expected? Visit an agent."
    ),
    Said.TIER_LOWERED: (
        "your limits are lower from now on. Money over the new limit stays yours: you may pay it"
        " out. Visit an agent."
    ),
}

_FRENCH: Final[Mapping[Said, str]] = {
    Said.ACTIVATION: (
        "code d'activation {code}, valable {minutes} min. Pour votre menu ou mobile seulement."
        " Ne le dites à personne, ni à nous."
    ),
    Said.SENT: "{amount} à {person}, frais {fee}. Code {receipt}.",
    Said.RECEIVED: "{amount} de {person}. Code {receipt}. Vérifiez-le au menu avant de donner.",
    Said.GIVEN_BACK: "{amount} vous est rendu. Paiement annulé. Code {receipt}.",
    Said.TAKEN_BACK: "{amount} vous est repris. Paiement annulé. Code {receipt}.",
    Said.DEVICE_SUSPENDED: (
        "un de vos appareils ne peut plus payer: {because}. Si cela vous étonne, voyez un agent."
    ),
    Said.PIN_BLOCKED_FOR: (
        "trop de PIN faux. Votre PIN est bloqué {minutes} min. Si ce n'était pas vous, dites-le."
    ),
    Said.PIN_BLOCKED: (
        "trop de PIN faux. Votre PIN est bloqué; voyez un agent. Si ce n'était pas vous, dites-le."
    ),
    Said.VERIFICATION_BLOCKED_FOR: (
        "votre mobile a refusé trop de doigts, visages ou PIN. Il ne paie plus {minutes} min."
        " Pas vous? Composez le menu, choix 8, puis 3."
    ),
    Said.VERIFICATION_BLOCKED: (
        "votre mobile a refusé trop de doigts, visages ou PIN. Voyez un agent pour payer."
        " Pas vous? Composez le menu, choix 8, puis 3."
    ),
    Said.SIM_CHANGED: (
        "votre SIM a été changée ou est dans un autre mobile. Les paiements composés attendent."
        " Si ce n'était pas vous, voyez un agent."
    ),
    Said.NOT_ME: (
        "vous avez dit qu'une demande n'est pas de vous. Rien n'est payé, le reste est bloqué."
        " Voyez un agent."
    ),
    Said.RECOVERY_OPENED: (
        "on récupère votre compte, fini dans {hours} h. Pas vous? Composez le menu, choix 8."
    ),
    Said.RECOVERY_HALF: (
        "récupération de votre compte, encore {hours} h. Pas vous? Composez le menu, choix 8."
    ),
    Said.RECOVERY_DONE: "votre compte a été récupéré. Pas vous? Voyez vite un agent.",
    Said.RECOVERY_CANCELLED: "la récupération de votre compte est stoppée. Rien n'a changé.",
    Said.ORDER_CODE: (
        "{code} confirme {amount} à {person}, {minutes} min. Pour notre menu seulement."
        " Ne le dites à personne, ni à nous."
    ),
    Said.DEVICE_ADDED: (
        "un autre mobile peut payer depuis votre compte. Pas vous? Composez le menu,"
        " choix 8, puis 3."
    ),
    Said.DEVICE_RESUMED: (
        "un de vos mobiles peut payer de nouveau. Pas vous? Composez le menu, choix 8, puis 3."
    ),
    Said.DEVICE_LOST: (
        "votre mobile perdu est bloqué. Votre argent reste à vous. Composez le menu ou"
        " voyez un agent."
    ),
    Said.DEVICE_STOLEN: (
        "votre mobile volé est exclu pour toujours. Votre argent reste à vous: voyez un agent."
    ),
    Said.DEVICE_LEAVING: (
        "le mobile que vous donnez est exclu. Effacez-le. Votre argent reste à vous. Pas"
        " vous? Voyez un agent."
    ),
    Said.DEVICE_REMOVED: (
        "un de vos mobiles est exclu. Votre argent reste à vous: par le menu, un autre"
        " mobile ou un agent."
    ),
    Said.DEVICE_RESTS_SOON: (
        "un de vos mobiles ne sert plus et sera mis au repos. Ouvrez l'app pour le garder."
    ),
    Said.DEVICE_DORMANT: (
        "un de vos mobiles inutilisé est au repos. Voyez un agent pour le réveiller."
        " Votre argent reste à vous."
    ),
    Said.DEVICE_DELETED: "ce que nous gardions d'un ancien mobile est effacé.",
    Said.DEVICE_WIPED: "le mobile exclu dit avoir effacé les clés de notre app.",
    Said.CUSTOMER_SUSPENDED: (
        "votre compte est suspendu: {because}. Rien n'entre ni ne sort; l'argent reste à vous."
        " Voyez un agent."
    ),
    Said.CUSTOMER_RESUMED: (
        "votre compte est rouvert: vous payez et recevez comme avant. Surpris? Voyez un agent."
    ),
    Said.TIER_RAISED: (
        "vos limites sont plus hautes, car nous vous connaissons mieux. Surpris? Voyez un agent."
    ),
    Said.TIER_LOWERED: (
        "vos limites sont plus basses. L'argent en plus reste à vous: vous pouvez le sortir."
        " Voyez un agent."
    ),
}

_SWAHILI: Final[Mapping[Said, str]] = {
    Said.ACTIVATION: (
        "namba ya kuwezesha {code}, dakika {minutes}. Ni ya simu au menyu yako tu."
        " Usimwambie mtu, hata sisi."
    ),
    Said.SENT: "{amount} imetumwa kwa {person}, ada {fee}. Risiti {receipt}.",
    Said.RECEIVED: (
        "{amount} kutoka kwa {person}. Risiti {receipt}. Hakiki kwenye menyu kabla ya kutoa mali."
    ),
    Said.GIVEN_BACK: "{amount} umerudishiwa. Malipo yamefutwa. Risiti {receipt}.",
    Said.TAKEN_BACK: "{amount} imeondolewa kwako. Malipo yamefutwa. Risiti {receipt}.",
    Said.DEVICE_SUSPENDED: (
        "kifaa chako kimoja hakiwezi kulipa tena: {because}. Kama hukutarajia, nenda kwa wakala."
    ),
    Said.PIN_BLOCKED_FOR: (
        "PIN imekosewa mara nyingi. Imefungwa kwa dakika {minutes}. Kama si wewe, tuambie."
    ),
    Said.PIN_BLOCKED: (
        "PIN imekosewa mara nyingi. Imefungwa hadi uende kwa wakala. Kama si wewe, tuambie."
    ),
    Said.VERIFICATION_BLOCKED_FOR: (
        "simu yako imekataa vidole, nyuso au PIN mara nyingi. Haitalipa dakika {minutes}."
        " Si wewe? Piga menyu, chagua 8, kisha 3."
    ),
    Said.VERIFICATION_BLOCKED: (
        "simu yako imekataa vidole, nyuso au PIN mara nyingi. Nenda kwa wakala ilipe tena."
        " Si wewe? Piga menyu, chagua 8, kisha 3."
    ),
    Said.SIM_CHANGED: (
        "laini yako imebadilishwa au imehamia simu nyingine. Malipo ya menyu yatasubiri."
        " Kama si wewe, nenda kwa wakala."
    ),
    Said.NOT_ME: (
        "umesema ombi la malipo si lako. Hakuna kilicholipwa na maombi mengine yamesimamishwa."
        " Nenda kwa wakala."
    ),
    Said.RECOVERY_OPENED: (
        "akaunti yako inarejeshwa, itakamilika baada ya saa {hours}. Si wewe? Piga menyu, chagua 8."
    ),
    Said.RECOVERY_HALF: (
        "akaunti yako bado inarejeshwa, saa {hours} zimebaki. Si wewe? Piga menyu, chagua 8."
    ),
    Said.RECOVERY_DONE: "akaunti yako imerejeshwa. Kama si wewe, nenda kwa wakala mara moja.",
    Said.RECOVERY_CANCELLED: "kurejesha akaunti yako kumesimamishwa. Hakuna kilichobadilika.",
    Said.ORDER_CODE: (
        "{code} inathibitisha {amount} kwa {person}, dakika {minutes}. Ni ya menyu yetu tu."
        " Usimwambie mtu, hata sisi."
    ),
    Said.DEVICE_ADDED: (
        "simu nyingine sasa inaweza kulipa kwenye akaunti yako. Si wewe? Piga menyu,"
        " chagua 8, kisha 3."
    ),
    Said.DEVICE_RESUMED: "simu yako inaweza kulipa tena. Si wewe? Piga menyu, chagua 8, kisha 3.",
    Said.DEVICE_LOST: (
        "simu yako iliyopotea imefungwa. Pesa zako ni zako. Piga menyu au nenda kwa wakala."
    ),
    Said.DEVICE_STOLEN: (
        "simu yako iliyoibwa imeondolewa kabisa. Pesa zako ni zako: nenda kwa wakala."
    ),
    Said.DEVICE_LEAVING: (
        "simu unayoitoa imeondolewa. Ifute kwanza. Pesa zako ni zako. Si wewe? Nenda kwa wakala."
    ),
    Said.DEVICE_REMOVED: (
        "simu yako imeondolewa kabisa. Pesa zako ni zako: kwa menyu, simu nyingine au wakala."
    ),
    Said.DEVICE_RESTS_SOON: (
        "simu yako haijatumika muda mrefu na itapumzishwa. Fungua programu ili ibaki."
    ),
    Said.DEVICE_DORMANT: (
        "simu yako isiyotumika imepumzishwa. Nenda kwa wakala kuiamsha. Pesa zako ni zako."
    ),
    Said.DEVICE_DELETED: "tulichohifadhi kuhusu simu yako ya zamani kimefutwa.",
    Said.DEVICE_WIPED: "simu iliyoondolewa inasema imefuta funguo za programu yetu.",
    Said.CUSTOMER_SUSPENDED: (
        "akaunti yako imesimamishwa: {because}. Pesa ni zako ila hazitoki wala kuingia."
        " Nenda kwa wakala."
    ),
    Said.CUSTOMER_RESUMED: (
        "akaunti yako imefunguliwa tena: unaweza kulipa na kulipwa. Hukutarajia? Nenda kwa wakala."
    ),
    Said.TIER_RAISED: (
        "viwango vyako vimepanda, kwa kuwa tunakujua zaidi. Hukutarajia? Nenda kwa wakala."
    ),
    Said.TIER_LOWERED: (
        "viwango vyako vimeshuka. Pesa iliyozidi ni yako: unaweza kuitoa. Nenda kwa wakala."
    ),
}


def check_words(
    table: Mapping[Said, str], model: Mapping[Said, str] = _ENGLISH
) -> Mapping[Said, str]:
    """`table`, if it says everything that `model` says, with the same fields, and leads nowhere.

    Raises Broken for a message that is missing, has other fields, a link or a number; Malformed
    for a character that a phone would not show.
    Source: ISO/TS 12812-2:2017, 7.3.6; 3GPP TS 23.038, 6.2.1
    """
    for said in Said:
        text = table.get(said)
        if text is None or _fields(text) != _fields(model[said]):
            raise Broken(f"the message {said} is missing or has other fields in a language")
        if _LEADS.search(text):
            raise Broken(f"the message {said} leads somewhere")
        places("".join(literal for literal, _, _, _ in Formatter().parse(text)))
    return table


def _fields(text: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in Formatter().parse(text) if name is not None)


WORDS: Final[Mapping[Language, Mapping[Said, str]]] = {
    Language.ENGLISH: check_words(_ENGLISH),
    Language.FRENCH: check_words(_FRENCH),
    Language.SWAHILI: check_words(_SWAHILI),
}
"""Every language that messages speak."""
