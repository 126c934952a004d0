"""A programme in the shape of a protection profile, which evaluators read.

    model      security problem, objectives, requirements, rationale
    deriving   from programme, pack, analysis and catalogue to the model
    text       the model as Markdown

It has the shape of one and is none: nobody evaluated it, and its requirements are rows of our
catalogue instead of components of ISO/IEC 15408.

Source: ISO/IEC 15408-1, B; ISO/TS 12812-2:2017, 9.1
"""

from tallystick.process.protection.deriving import protection_profile
from tallystick.process.protection.model import ProtectionProfile
from tallystick.process.protection.text import profile_markdown

__all__ = ["ProtectionProfile", "profile_markdown", "protection_profile"]
