"""The dialled menu in French; fields in braces are filled by `ussd`.

The GSM alphabet has no c with cedilla and no circumflex in small letters: the words are chosen so
that none is missed, except in the name of the language.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.6; 3GPP TS 23.038, 6.2.1
"""

from collections.abc import Mapping
from typing import Final

from tallystick.application.channels.texts.words import Text

FRENCH: Final[Mapping[Text, str]] = {
    Text.MENU: (
        "{provider}\n1 Envoyer argent\n2 Retrait agent\n3 Payer un marchand\n"
        "4 Vérifier un code\n5 Mon solde\n6 Choisir un PIN\n7 Langue\n8 Sécurité\n0 Quitter"
    ),
    Text.APP_WAITS: "Votre appli attend",
    Text.ASK_NUMBER: "Envoyer à quel numéro de téléphone? 0 retour",
    Text.ASK_TILL: "Numéro de caisse du marchand? 0 retour",
    Text.ASK_AGENT: "Numéro de caisse de l'agent? 0 retour",
    Text.ASK_AMOUNT: "Montant en {currency}? 0 retour",
    Text.CONFIRM_P2P: "Envoyer {amount} à {name}, frais {fee}? PIN pour accepter, 0 retour",
    Text.CONFIRM_OUT: "Retirer {amount} chez {name}, frais {fee}? PIN pour accepter, 0 retour",
    Text.CONFIRM_MERCHANT: "Payer {amount} à {name}, frais {fee}? PIN pour accepter, 0 retour",
    Text.ASK_ORDER_CODE: "Entrez le code de notre SMS. 0 retour",
    Text.ASK_RECEIPT: "Code de paiement du message? 0 retour",
    Text.ASK_BALANCE_PIN: "Entrez votre PIN pour voir le solde, 0 retour",
    Text.ASK_ACTIVATION: "Code d'activation du message? 0 retour",
    Text.ASK_NEW_PIN: "Nouveau PIN de {least} à {most} chiffres? Ne le dites à personne. 0 retour",
    Text.ASK_PIN_AGAIN: "Nouveau PIN encore une fois? 0 retour",
    Text.WRONG_CHOICE: "Choisissez un numéro de la liste.",
    Text.WRONG_NUMBER: "Numéro non valable.",
    Text.WRONG_AMOUNT: "Montant non valable.",
    Text.WRONG_PIN_FORM: "Un PIN n'a que des chiffres.",
    Text.WRONG_CODE_FORM: "Code non valable.",
    Text.WEAK_PIN: "Trop facile à deviner.",
    Text.PINS_DIFFER: "Les deux PIN sont différents.",
    Text.CANCELLED: "Annulé. Rien n'a été fait.",
    Text.TOO_MANY: "Trop d'erreurs. Rien n'a été fait. Rappelez le menu.",
    Text.TIMED_OUT: "La session est finie. Rien n'a été fait. Rappelez le menu.",
    Text.WORKING: "En cours. Attendez le message; ne recommencez pas.",
    Text.TERMS_EXPIRED: "Cette offre est trop vieille. Rien n'a été fait. Rappelez le menu.",
    Text.PAID: "Fait. Code {code}. Le choix 4 vérifie un code que l'on vous montre.",
    Text.CODE_IN: "Vrai. {provider}: {amount} pour vous, {at} UTC. Etat: {stage}",
    Text.CODE_OUT: "Vrai. {provider}: {amount} de votre compte, {at} UTC. Etat: {stage}",
    Text.CODE_UNKNOWN: (
        "FAUX: {provider} ne trouve aucun paiement à vous sous ce code. "
        "Un message qui le montre n'est pas de nous. Ne donnez rien."
    ),
    Text.BALANCE: "Disponible: {amount}",
    Text.PIN_SET: "Votre PIN est choisi. {provider} ne le demande ni par appel ni par message.",
    Text.ASK_LANGUAGE: "Langue\n1 English\n2 Francais\n3 Kiswahili\n0 Retour",
    Text.ASK_SAFETY: (
        "Protection\n1 Stopper la récupération\n2 Accepter conditions\n"
        "3 Bloquer mon mobile\n4 Plainte\n5 Mes protections\n0 Retour"
    ),
    Text.COMPLAINTS: (
        "Plaignez-vous chez tout agent: on vous donne un numéro. Pas de réponse en 15 jours?"
        " Allez au superviseur des paiements.\n0 Retour"
    ),
    Text.ASK_ASPECT: (
        "Ce qui vous protège\n1 Limites\n2 Attentes\n3 Si je perds mon mobile\n"
        "4 Jamais demandé\n0 Retour"
    ),
    Text.MORE: "1 Suite\n0 Retour",
    Text.NO_MORE: "0 Retour",
    Text.ASK_BLOCK_PIN: "Entrez votre PIN pour bloquer l'app sur vos mobiles, 0 retour",
    Text.BLOCKED: "Vos mobiles sont bloqués. Votre argent reste à vous. Voyez un agent.",
    Text.STOPPED: ("La récupération de votre compte est stoppée. Rien n'a changé."),
    Text.TERMS_KEPT: ("Vous avez accepté nos conditions."),
    Text.WARN_NEW: ("Premier paiement à elle! Nous ne demandons jamais de payer."),
    Text.WARN_LARGE: ("Premier gros paiement! Vous presse-t-on?"),
    Text.RESUME: ("Vous n'aviez pas fini: {amount} à {name}, frais {fee}.\n1 Continuer\n0 Menu"),
    Text.LAST_DONE: (
        "Votre dernier paiement est fait: {amount} à {name}, code {code}.\n1 Menu\n0 Quitter"
    ),
    Text.LAST_OPEN: (
        "Votre dernier paiement est en cours: {amount} à {name}; ne le refaites pas.\n"
        "1 Menu\n0 Quitter"
    ),
    Text.LAST_REFUSED: (
        "Votre dernier paiement n'a PAS été fait: {amount} à {name}\n1 Menu\n0 Quitter"
    ),
    Text.INTERRUPTED: "Cette session est finie. Rappelez le menu.",
    Text.GOODBYE: "Au revoir.",
    Text.DIAL_AGAIN: "Rappelez le menu.",
    Text.NOT_CUSTOMER: "Vous n'avez pas de compte ici.",
    Text.UNKNOWN_NUMBER: "Personne ici n'a ce numéro.",
    Text.WRONG_PIN: "Le PIN n'est pas juste.",
    Text.NOT_ALLOWED: "Ce n'est pas permis. Rien n'a été fait. Demandez-nous pourquoi.",
    Text.OVER_LIMIT: "C'est plus que votre limite. Rien n'a été fait.",
    Text.TOO_LITTLE: "Votre solde ne suffit pas. Rien n'a été fait.",
    Text.LATER: "Cela ne marche pas en ce moment. Essayez plus tard.",
    Text.SUSPENDED: "Suspendu pour l'instant. Rien n'a été fait. Votre argent est en sécurité.",
    Text.NOT_DONE: "Refusé. Rien n'a été fait.",
    Text.NEEDS_MORE: "Il faut plus que votre PIN. Rien n'a été fait. Prenez l'appli.",
    Text.FIRST_PIN: "Vous n'avez pas de PIN. D'abord le choix 6. Rien n'a été fait.",
    Text.FIRST_TERMS: "Acceptez d'abord nos conditions: 8, puis 2. Rien n'a été fait.",
    Text.CODE_REFUSED: "Le code n'est pas juste. Rien n'a été fait.",
    Text.NO_RECOVERY: "Personne ne récupère votre compte. Il n'y a rien à stopper.",
    Text.NO_PHONE: "Aucun mobile avec notre appli ne paie pour vous. Il n'y a rien à bloquer.",
    Text.YOURSELF: "Ce numéro est à vous. Rien n'a été fait.",
    Text.ACCOUNT_STOPPED: "Votre compte est suspendu. Votre argent reste à vous. Voyez un agent.",
    Text.CANNOT_BE_PAID: "Ce numéro ne peut pas recevoir ainsi. Rien n'a été fait.",
    Text.SIM_BOUND: "Cette SIM peut payer. Choisissez son PIN.",
    Text.SIM_DONE: "Payé. Code {code}.",
    Text.SIM_CANCELLED: "Annulé. Rien n'a été payé.",
    Text.ACCEPTED: "accepté",
    Text.SETTLED: "payé",
    Text.REFUSED: "refusé",
    Text.UNKNOWN: "inconnu",
    Text.RETURNED: "rendu",
}
"""Every page in French."""
