"""The hardened software keystore: sealed to its device, its consent key opened by a PIN alone.

    places      where such a file may stand, and how it is kept out of backups
    anchor      what a device must give: a secret that stays on it, and a counter that only grows
    sealing     the file: two sealed parts, each write one step of the counter
    entering    the PIN as it is typed, and the key that comes of it
    keystore    the keystore itself

Software, no hardware protection: what that cannot keep from whom is in docs/explanation.

Source: ISO/TS 12812-2:2017, 8.1.2; 7.3.5
"""
