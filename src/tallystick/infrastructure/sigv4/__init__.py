"""AWS Signature Version 4, the verifying half: who sent a request, and that nothing was changed.

`canonical` writes the text that is signed, `verifying` reads the header and checks it. Strict: one
spelling of the header, every field that says something is signed, no presigned address, no payload
that is not hashed. A request can be sent again within the time that its date is accepted.

Source: AWS Signature Version 4; ISO/TS 12812-2:2017, 7.3.2
"""
