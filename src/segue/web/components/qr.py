"""QR codes, drawn here: what is in one is a secret and goes to no service that draws them."""

from __future__ import annotations

import segno

from segue.security import Secret
from segue.web.components.parts import Part, part


def qr_code(text: Secret, *, label: str) -> Part:
    """A QR code, black on white in both themes so that telephones read it. label: what it is, for who does not see it."""
    image = segno.make(text.reveal(), error="m").svg_data_uri(scale=5, border=4, light="#ffffff", dark="#000000")
    return part("img", "qr", src=image, alt=label)
