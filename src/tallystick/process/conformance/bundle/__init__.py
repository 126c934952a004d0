"""The auditor's bundle: one folder that others can check without us, and without our programs.

    contents   its files: documents, basis, proofs, tables, lock
    manifest   the list of its JSON files and the signed envelope over it
    making     basis, proofs and an officer's key -> files
    stamped    the time stamp over the envelope, and what its absence is called
    checking   files -> what holds, or the first thing that does not

Source: ISO/TS 12812-2:2017, 9.1; OSCAL 1.2.1
"""

from tallystick.process.conformance.bundle.checking import Verified, Whose, verify_bundle
from tallystick.process.conformance.bundle.contents import Proofs, read_proofs
from tallystick.process.conformance.bundle.making import make_bundle
from tallystick.process.conformance.bundle.stamped import Pinned

__all__ = ["Pinned", "Proofs", "Verified", "Whose", "make_bundle", "read_proofs", "verify_bundle"]
