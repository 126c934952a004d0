"""Sessions between a device and the provider: handshake, keys, sealed messages, replay window.

Read in this order: `schedule` (labels, transcripts, keys), `handshake_client` and
`handshake_server` (three messages that authenticate both sides, a fourth that confirms), `renewal`
(clone detection), `cose` (every message after that), `window` (each message once). Nothing here
does I/O, reads a clock or keeps state; whoever owns the state decides in one step. The
specification is docs/protocol.

Source: ISO/TS 12812-2:2017, 3.9; 3.14; 3.20; 3.22; 7.2.7
"""
