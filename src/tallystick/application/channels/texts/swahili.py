"""The dialled menu in Swahili; fields in braces are filled by `ussd`.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.6
"""

from collections.abc import Mapping
from typing import Final

from tallystick.application.channels.texts.words import Text

SWAHILI: Final[Mapping[Text, str]] = {
    Text.MENU: (
        "{provider}\n1 Tuma pesa\n2 Toa pesa kwa wakala\n3 Lipa duka\n4 Hakiki namba ya risiti\n"
        "5 Salio langu\n6 Weka PIN\n7 Lugha\n8 Ulinzi\n0 Toka"
    ),
    Text.APP_WAITS: "App yako inasubiri",
    Text.ASK_NUMBER: "Tuma kwa namba gani ya simu? 0 rudi",
    Text.ASK_TILL: "Namba ya duka? 0 rudi",
    Text.ASK_AGENT: "Namba ya wakala? 0 rudi",
    Text.ASK_AMOUNT: "Kiasi gani cha {currency}? 0 rudi",
    Text.CONFIRM_P2P: "Tuma {amount} kwa {name}, ada {fee}? Weka PIN kukubali, 0 rudi",
    Text.CONFIRM_OUT: "Toa {amount} kwa {name}, ada {fee}? Weka PIN kukubali, 0 rudi",
    Text.CONFIRM_MERCHANT: "Lipa {amount} kwa {name}, ada {fee}? Weka PIN kukubali, 0 rudi",
    Text.ASK_ORDER_CODE: "Andika namba iliyo kwenye SMS yetu. 0 rudi",
    Text.ASK_RECEIPT: "Namba ya risiti iliyo kwenye ujumbe? 0 rudi",
    Text.ASK_BALANCE_PIN: "Weka PIN kuona salio lako, 0 rudi",
    Text.ASK_ACTIVATION: "Namba ya kuwezesha iliyo kwenye ujumbe? 0 rudi",
    Text.ASK_NEW_PIN: "PIN mpya ya tarakimu {least} hadi {most}? Usimwambie mtu. 0 rudi",
    Text.ASK_PIN_AGAIN: "PIN mpya tena? 0 rudi",
    Text.WRONG_CHOICE: "Chagua namba kwenye orodha.",
    Text.WRONG_NUMBER: "Namba si sahihi.",
    Text.WRONG_AMOUNT: "Kiasi si sahihi.",
    Text.WRONG_PIN_FORM: "PIN ina tarakimu tu.",
    Text.WRONG_CODE_FORM: "Namba ya siri si sahihi.",
    Text.WEAK_PIN: "Ni rahisi kukisia.",
    Text.PINS_DIFFER: "PIN hizo mbili hazifanani.",
    Text.CANCELLED: "Imesitishwa. Hakuna kilichofanyika.",
    Text.TOO_MANY: "Umekosea mara nyingi. Hakuna kilichofanyika. Piga tena.",
    Text.TIMED_OUT: "Muda umeisha. Hakuna kilichofanyika. Piga tena.",
    Text.WORKING: "Bado inashughulikiwa. Subiri ujumbe; usirudie kulipa.",
    Text.TERMS_EXPIRED: "Muda wa ofa hii umepita. Hakuna kilichofanyika. Piga tena.",
    Text.PAID: "Imekamilika. Namba ya risiti {code}. Chagua 4 kuhakiki risiti unayoonyeshwa.",
    Text.CODE_IN: "Ni halali. {provider}: {amount} kwako, {at} UTC. Hali: {stage}",
    Text.CODE_OUT: "Ni halali. {provider}: {amount} kutoka kwako, {at} UTC. Hali: {stage}",
    Text.CODE_UNKNOWN: (
        "SI HALALI: {provider} haijui malipo yako yenye namba hii. "
        "Ujumbe unaoionyesha si wetu. Usitoe chochote."
    ),
    Text.BALANCE: "Salio: {amount}",
    Text.PIN_SET: "PIN yako imewekwa. {provider} haiulizi PIN kwa simu wala kwa ujumbe.",
    Text.ASK_LANGUAGE: "Lugha\n1 English\n2 Francais\n3 Kiswahili\n0 Rudi",
    Text.ASK_SAFETY: (
        "Ulinzi\n1 Simamisha kurejesha akaunti\n2 Kubali masharti\n3 Funga simu yangu\n"
        "4 Lalamika\n5 Kinachonilinda\n0 Nyuma"
    ),
    Text.COMPLAINTS: (
        "Lalamika kwa wakala yeyote: utapewa namba ya lalamiko. Bila jibu ndani ya siku 15,"
        " nenda kwa msimamizi wa malipo.\n0 Nyuma"
    ),
    Text.ASK_ASPECT: (
        "Kinachokulinda\n1 Viwango\n2 Muda wa kusubiri\n3 Nikipoteza simu\n"
        "4 Tusichouliza kamwe\n0 Nyuma"
    ),
    Text.MORE: "1 Zaidi\n0 Nyuma",
    Text.NO_MORE: "0 Nyuma",
    Text.ASK_BLOCK_PIN: "Weka PIN kufunga programu kwenye simu zako zote, 0 rudi",
    Text.BLOCKED: "Simu zako zimefungwa. Pesa zako ni zako. Nenda kwa wakala.",
    Text.STOPPED: ("Kurejesha akaunti yako kumesimamishwa. Hakuna kilichobadilika."),
    Text.TERMS_KEPT: ("Umekubali masharti yetu."),
    Text.WARN_NEW: ("Malipo ya kwanza kwake! Hatuombi ulipe kamwe."),
    Text.WARN_LARGE: ("Malipo makubwa ya kwanza! Je, unaharakishwa?"),
    Text.RESUME: "Hukumaliza: {amount} kwa {name}, ada {fee}.\n1 Endelea\n0 Menyu",
    Text.LAST_DONE: (
        "Malipo yako ya mwisho yamekamilika: {amount} kwa {name}, risiti {code}.\n1 Menyu\n0 Toka"
    ),
    Text.LAST_OPEN: (
        "Malipo yako ya mwisho bado yanashughulikiwa: {amount} kwa {name}; usirudie.\n"
        "1 Menyu\n0 Toka"
    ),
    Text.LAST_REFUSED: (
        "Malipo yako ya mwisho HAYAKUFANYIKA: {amount} kwa {name}\n1 Menyu\n0 Toka"
    ),
    Text.INTERRUPTED: "Muda umeisha. Piga tena.",
    Text.GOODBYE: "Kwaheri.",
    Text.DIAL_AGAIN: "Piga tena.",
    Text.NOT_CUSTOMER: "Wewe si mteja hapa.",
    Text.UNKNOWN_NUMBER: "Hakuna mwenye namba hii hapa.",
    Text.WRONG_PIN: "PIN si sahihi.",
    Text.NOT_ALLOWED: "Hairuhusiwi. Hakuna kilichofanyika. Tuulize sababu.",
    Text.OVER_LIMIT: "Kiasi kimezidi kikomo chako. Hakuna kilichofanyika.",
    Text.TOO_LITTLE: "Salio lako halitoshi. Hakuna kilichofanyika.",
    Text.LATER: "Haiwezekani kwa sasa. Jaribu tena baadaye.",
    Text.SUSPENDED: "Imesimamishwa kwa sasa. Hakuna kilichofanyika. Pesa zako ni salama.",
    Text.NOT_DONE: "Imekataliwa. Hakuna kilichofanyika.",
    Text.NEEDS_MORE: "Inahitaji zaidi ya PIN. Hakuna kilichofanyika. Tumia programu.",
    Text.FIRST_PIN: "Bado huna PIN. Chagua 6 kwanza. Hakuna kilichofanyika.",
    Text.FIRST_TERMS: "Kubali masharti yetu kwanza: chagua 8, kisha 2. Hakuna kilichofanyika.",
    Text.CODE_REFUSED: "Namba ya siri si sahihi. Hakuna kilichofanyika.",
    Text.NO_RECOVERY: "Hakuna anayerejesha akaunti yako. Hakuna cha kusimamisha.",
    Text.NO_PHONE: "Hakuna simu yenye programu yetu inayoweza kukulipia. Hakuna cha kufunga.",
    Text.YOURSELF: "Namba hii ni yako. Hakuna kilichofanyika.",
    Text.ACCOUNT_STOPPED: "Akaunti yako imesimamishwa. Pesa zako ni zako. Nenda kwa wakala.",
    Text.CANNOT_BE_PAID: "Namba hii haiwezi kulipwa hivi. Hakuna kilichofanyika.",
    Text.SIM_BOUND: "Laini hii inaweza kulipa. Chagua PIN yake.",
    Text.SIM_DONE: "Imelipwa. Risiti {code}.",
    Text.SIM_CANCELLED: "Imesitishwa. Hakuna kilicholipwa.",
    Text.ACCEPTED: "imepokelewa",
    Text.SETTLED: "imelipwa",
    Text.REFUSED: "imekataliwa",
    Text.UNKNOWN: "haijulikani",
    Text.RETURNED: "imerudishwa",
}
"""Every page in Swahili."""
