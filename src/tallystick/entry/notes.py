"""What the service logs about itself: a closed list, so that each line can be counted and watched.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

from enum import StrEnum


class Note(StrEnum):
    """The message of a log line about the service itself.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    SERVING = "serving"
    FRONT_GONE = "a front is gone"
    FRONT_NOT_STARTED = "a front was not started"
    OVERTAKEN = "another process has become the writer: stopping"
    UPKEEP_FAILED = "the store's upkeep failed"
    NOT_WITNESSED = "not witnessed"
    WITNESS_DISAGREES = "a witness disagrees"
    APPRAISAL_CHANGED = "the appraisal of devices was changed"
    APPRAISAL_NOT_CHANGED = "a change of the appraisal of devices was refused"
    VENDOR_LIST_TAKEN = "a vendor's list was taken over"
    VENDOR_LIST_REFUSED = "a vendor's list was refused"
    VENDOR_NOT_REACHED = "a vendor's list could not be fetched"
    VENDOR_ROOTS_DIFFER = "a vendor lists other roots than the policy of appraisal"
    QUOTE_KEY_REPLACED = "the quote key was replaced"
    QUOTE_KEY_NOT_REPLACED = "the quote key was not replaced"
    KEY_LIST_SERVED = "a new key list is served"
    KEY_LIST_REFUSED = "a new key list was refused"
    KEYS_IN_USE = "keys of the list are new in use"
    SUITES_AWAITED = "the policy asks for mechanisms that are not in use yet"
    SUITES_REACHED = "the mechanisms that the policy asks for are in use"
    OFFICER_WIDENED = "the second half of an officer's key is believed"
    NOTICE_NOT_DELIVERED = "notice not delivered"
    NOTICE_NOT_ALLOWED = "no registered sender for a notice"
    NOTICE_REJECTED = "the phone network did not deliver a notice"
    DIALOGUE_BROKEN = "a dialled session was ended: its history does not fit"
    SIM_REFUSED = "a packet of a SIM was refused"
    NETWORK_GONE = "a mobile network is not bound"
    EVENT_NOT_DELIVERED = "event not delivered"
    ORDER_NEEDS_PEOPLE = "an order needs people"
    CORE_ANSWERED_WRONGLY = "the core answered about another order"
    NETWORK_DID_NOT_SAY = "the mobile network did not say"
    MODULE_RETURNED = "the process of the module was started again"
    DEPENDENCY_FAILS = "a dependency fails"
    DEPENDENCY_ANSWERS = "a dependency answers again"
    SHADOW_DIFFERS = "the policy in shadow decides otherwise"
    POLICY_TIGHTENED = "the policy was tightened"
    POLICY_EASED = "a tightening ended"
    NOT_TIGHTENED = "the policy could not be tightened"
    EMERGENCY = "an emergency role was taken"
    INCENTIVE_RISEN = "a subject of an incentive rose"
    INCENTIVE_FALLEN = "a subject of an incentive fell"
    INCENTIVE_STAYS = "a subject of an incentive could not be moved"
    TIGHTENING_CAPPED = "a tightening is beyond its caps"
    PROPOSAL_WAITS = "a proposal waits for people"
    PROPOSAL_ENDED = "a proposal waits no more"
    SIEM_LOST = "the security monitoring does not answer"
    NOT_STAMPED = "the log was not stamped with the time"
    CEREMONY_NOT_STAMPED = "a ceremony was not stamped with the time"
    SIEM_FOUND = "the security monitoring answers again"
