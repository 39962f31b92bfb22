"""A faithful fake of the Klaviyo API for demos, tests and anyone who builds against Klaviyo.

with serve(limit_scale=0) as emulator:
    ...  # talk to emulator.url with the key emulator.key, look behind the scenes with emulator.admin
"""

from klaviyo_emulator.admin_client import AdminError, EmulatorAdmin
from klaviyo_emulator.server import Running, serve

__all__ = ["AdminError", "EmulatorAdmin", "Running", "serve"]
