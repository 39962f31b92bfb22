"""The command ``klaviyo-emulator``."""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
from collections.abc import Sequence

from klaviyo_emulator.server import listen, server_for
from klaviyo_emulator.settings import BadSettingError, Settings
from klaviyo_emulator.world import DEFAULT_KEY, World


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted. Returns 0, or 2 when an option or the port is not usable."""
    options = _parser().parse_args(arguments)
    settings = Settings()
    try:
        settings.change(
            {"limit_scale": options.limit_scale, "job_delay": options.job_delay, "latency": options.latency}
            | dict(_pair(text) for text in options.set)
        )
        listener = listen(options.host, options.port)
    except (BadSettingError, OSError) as error:
        print(f"klaviyo-emulator: {error}", file=sys.stderr)  # noqa: T201 -- the command speaks to a terminal
        return 2
    host = f"[{options.host}]" if ":" in options.host else options.host
    # Profiles stay for good and hold no cycles: a full collection would stop the world for seconds and find nothing.
    gc.set_threshold(50_000, 50, 1_000_000)
    world = World(settings=settings, keys=options.key)
    key = next(iter(world.keys)) if not options.key else "as given"
    print(f"Klaviyo emulator on http://{host}:{listener.getsockname()[1]} (key: {key})", flush=True)  # noqa: T201
    try:
        asyncio.run(server_for(world).serve(sockets=[listener]))
    except KeyboardInterrupt:
        pass  # uvicorn has shut down by then and raises the signal again
    finally:
        listener.close()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="klaviyo-emulator", description="A faithful fake of the Klaviyo API.")
    parser.add_argument("--port", type=int, default=9800, help="port to listen on; 0 picks a free one (default 9800)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument(
        "--limit-scale", type=float, default=1.0, help="multiplies every rate limit; 0 switches the windows off"
    )
    parser.add_argument("--job-delay", type=float, default=0.0, help="seconds from accepting a job to completing it")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that every answer takes more")
    parser.add_argument(
        "--key", action="append", default=[], help=f"private key with all scopes (default {DEFAULT_KEY})"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="any other switch, such as row_errors=row"
    )
    return parser


def _pair(text: str) -> tuple[str, object]:
    """``name=value`` with the value read as true, false, a whole number, a number or text."""
    name, equals, value = text.partition("=")
    if not equals:
        raise BadSettingError(f"--set takes NAME=VALUE, not {text!r}")
    if value in ("true", "false"):
        return name, value == "true"
    for kind in (int, float):
        try:
            return name, kind(value)
        except ValueError:
            continue
    return name, value
