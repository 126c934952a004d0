"""The operators' desk in a browser: pages made on the server, forms, and passkeys.

    request -> guard (origin, form secret, session) -> view recorded -> page
    form -> act prepared -> page shows what is signed -> passkey -> writer

Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.2; 7.3.4
"""

from tallystick.entry.http.console.routes import desk_routes

__all__ = ["desk_routes"]
