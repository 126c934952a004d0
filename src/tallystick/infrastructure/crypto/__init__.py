"""Cryptography by ISO name: the registry of mechanisms and their software implementations.

Only this package and `infrastructure.modules` import the cryptographic library, and no caller
chooses a parameter that the registry fixes. Everything here is pure: keys and nonces come in.

Source: ISO/TS 12812-2:2017, 7.4.1; C
"""
