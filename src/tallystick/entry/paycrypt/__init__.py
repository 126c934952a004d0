"""A door that is compatible with AWS Payment Cryptography, for clients that know nothing else.

    answers     errors in the shapes of the service model
    asking      one request: its program, the keys that it may use, the way to the writer
    keys, naming    the control plane: keys; aliases and tags
    moving      keys that come in and leave
    pins, messages, cards    the data plane
    door        a request -> signature -> program -> limit -> call -> answer
    connection  HTTP/1.1, one request at a time
    listening   the listener, and what goes on beside it

What the provider fixed (region, account, use, who may do what) is in `paycrypt_settings`.

Source: ISO/TS 12812-2:2017, 7.4.2; 11.2.3; AWS Payment Cryptography API
"""
