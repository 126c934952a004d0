"""The keys of subjects under another wrapping, and what they seal under another mechanism.

A subject key salts the commitments of the log, so that its value never changes. What can change is
what wraps it (the generation in the module) and by which mechanism it seals. Both move while the
service works: each customer's key with the profile, then every consent, request and number that is
sealed under it. Whoever is erased meanwhile stays erased.

Source: ISO/TS 12812-2:2017, 7.4.2; 14.2.1; 14.2.2; C
"""

from tallystick.application.subjectkeys.service import SubjectRenewal

__all__ = ["SubjectRenewal"]
