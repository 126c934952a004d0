"""What an app checks of itself before it believes a provider or opens a keystore.

    manifest    the signed list of the app's own files, its kind of build, and its provider
    running     signs of a debugger or of hooks in this process
    opening     the one way from both to a provider: debug and release stay apart

A check that an app makes of itself can be patched out by who controls the phone; it stops copies
that were altered by others, and tells the person. What a provider relies on is attestation.

Source: ISO/TS 12812-2:2017, 7.2.5; 7.4.4
"""
