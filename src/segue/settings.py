"""What the environment says about this process, read once at the edge."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import urlsplit

from segue.errors import ConfigError
from segue.security import Secret, parse_key

T = TypeVar("T")

_SIZE_UNITS = {"": 1, "B": 1} | {
    f"{letter}{tail}": base**power
    for power, letter in enumerate("KMGT", start=1)
    for tail, base in (("B", 1000), ("", 1000), ("IB", 1024))
}
_SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
_DURATION = re.compile(r"(?=\d)" + "".join(rf"(?:(?P<{unit}>\d+){unit})?" for unit in _SECONDS))
_SWITCHES = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRule:
    """Whoever has this value in this claim has this policy and these options."""

    claim: str
    value: str
    policy: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcSettings:
    """The provider at which people log in. rules: the first that fits counts."""

    issuer: str
    client_id: str
    client_secret: Secret
    rules: tuple[PolicyRule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Process settings, one environment variable each; an empty variable counts as not set."""

    home: Path = Path(".segue")
    """SEGUE_HOME: the workspace folder; a relative one starts at the current folder."""
    database_url: Secret | None = None
    """SEGUE_DATABASE_URL: the metadata in PostgreSQL: `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`; not set: SQLite."""
    secret_key: Secret | None = None
    """SEGUE_SECRET_KEY: 32 random bytes in URL-safe base64, in place of the workspace's `secret.key` file."""
    query_memory: int = 10**9
    """SEGUE_QUERY_MEMORY: memory that the process of one query may take: `1GB`, `800MB`, `2GiB` or bytes."""
    query_seconds: float = 1800.0
    """SEGUE_QUERY_SECONDS: how long one query may run: seconds, or `90s`, `30m`, `1h30m`."""
    threads: int | None = None
    """SEGUE_THREADS: threads of one query and of the comparison with the last run; not set: one per core."""
    engine_memory: int = 600 * 10**6
    """SEGUE_ENGINE_MEMORY: memory of the engine that compares and encodes rows: `600MB`, `1GiB` or bytes."""
    chunk_rows: int = 10_000
    """SEGUE_CHUNK_ROWS: rows of one import job at most; fewer make more requests. Klaviyo takes 10,000."""
    rate_scale: float = 1.0
    """SEGUE_RATE_SCALE: multiplies the destination's published rate limits: `1` obeys them, `0` does not wait (fakes)."""
    second_run: Literal["refuse", "wait"] = "refuse"
    """SEGUE_SECOND_RUN: with a server, a run while another one of its orchestration is under way: `refuse` or `wait`."""
    runs_at_once: int = 2
    """SEGUE_RUNS_AT_ONCE: how many runs `segue serve` carries out at a time; of one account it is always one."""
    worker_silence: float = 20.0
    """SEGUE_WORKER_SILENCE: with PostgreSQL, how long a worker may give no sign of life before another takes its runs over."""
    keep_payloads: float = 90 * 86400.0
    """SEGUE_KEEP_PAYLOADS: how long people's data of a run stay after its end, for history, undo and rejects: `90d`, `720h`."""
    most_payloads: int | None = None
    """SEGUE_MOST_PAYLOADS: of each orchestration, so many of the latest runs keep people's data at most; not set: no limit."""
    keep_runs: float = 365 * 86400.0
    """SEGUE_KEEP_RUNS: how long the record of a run stays, without people's data; not shorter than SEGUE_KEEP_PAYLOADS."""
    most_runs: int | None = None
    """SEGUE_MOST_RUNS: of each orchestration, so many of the latest runs keep their record at most; not set: no limit."""
    keep_last_runs: int = 20
    """SEGUE_KEEP_LAST_RUNS: so many of the latest runs of each orchestration keep their record, however old they are."""
    log: str | None = None
    """SEGUE_LOG: a file that events are added to as JSON lines, without people's data; `-` is stderr; not set: no log."""
    oidc_issuer: str | None = None
    """SEGUE_OIDC_ISSUER: the OpenID provider at which people log in, such as `https://login.brand.shop`."""
    oidc_client_id: str | None = None
    """SEGUE_OIDC_CLIENT_ID: the name by which the provider knows Segue."""
    oidc_client_secret: Secret | None = None
    """SEGUE_OIDC_CLIENT_SECRET: the secret that goes with it."""
    oidc_policies: tuple[PolicyRule, ...] = ()
    """SEGUE_OIDC_POLICIES: who gets which policy: `groups:marketing=activator+restrict_pii,groups:data=operator`."""
    traces: bool = False
    """OTEL_EXPORTER_OTLP_ENDPOINT: where traces are sent, with `segue[otel]`; this and all OTEL_... are OpenTelemetry's own."""
    server: str | None = None
    """SEGUE_SERVER: address of a server that commands leave their work to: `https://segue.brand.shop`; as `segue --server`."""
    token: Secret | None = None
    """SEGUE_TOKEN: the token that commands show to that server."""
    failpoint: str | None = None
    """SEGUE_FAILPOINT: for crash tests: the place where the process kills itself, such as `import-accepted-after:3`."""
    debug: bool = False
    """SEGUE_DEBUG: `1` shows where an error came from, without values of the data."""

    @property
    def oidc(self) -> OidcSettings | None:
        """How people log in at a provider; None where no issuer is set. Raises ConfigError when a part is missing."""
        if self.oidc_issuer is None:
            return None
        if self.oidc_client_id is None or self.oidc_client_secret is None or not self.oidc_policies:
            raise ConfigError(
                "SEGUE_OIDC_ISSUER needs SEGUE_OIDC_CLIENT_ID, SEGUE_OIDC_CLIENT_SECRET and SEGUE_OIDC_POLICIES",
                code="bad_setting",
                steps=("Set all four, or none.",),
            )
        return OidcSettings(
            issuer=self.oidc_issuer,
            client_id=self.oidc_client_id,
            client_secret=self.oidc_client_secret,
            rules=self.oidc_policies,
        )

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """The settings that environ asks for. Raises ConfigError naming the variable that makes no sense."""

        def read(variable: str, parse: Callable[[str], T], default: T) -> T:
            text = environ.get(variable, "").strip()
            try:
                return parse(text) if text else default
            except ValueError as error:
                raise ConfigError(
                    f"{variable} {error}",
                    code="bad_setting",
                    steps=(f"Correct {variable}, or unset it to get the default.",),
                ) from None

        default = cls()
        settings = cls(
            home=read("SEGUE_HOME", Path, default.home).expanduser().absolute(),
            database_url=read("SEGUE_DATABASE_URL", _parse_database_url, default.database_url),
            secret_key=read("SEGUE_SECRET_KEY", parse_key, default.secret_key),
            query_memory=read("SEGUE_QUERY_MEMORY", parse_size, default.query_memory),
            query_seconds=read("SEGUE_QUERY_SECONDS", parse_duration, default.query_seconds),
            threads=read("SEGUE_THREADS", _parse_count, default.threads),
            engine_memory=read("SEGUE_ENGINE_MEMORY", parse_size, default.engine_memory),
            chunk_rows=read("SEGUE_CHUNK_ROWS", partial(_parse_count, most=10_000), default.chunk_rows),
            rate_scale=read("SEGUE_RATE_SCALE", _parse_scale, default.rate_scale),
            second_run=read("SEGUE_SECOND_RUN", _parse_second_run, default.second_run),
            runs_at_once=read("SEGUE_RUNS_AT_ONCE", _parse_count, default.runs_at_once),
            worker_silence=read("SEGUE_WORKER_SILENCE", parse_duration, default.worker_silence),
            keep_payloads=read("SEGUE_KEEP_PAYLOADS", parse_duration, default.keep_payloads),
            most_payloads=read("SEGUE_MOST_PAYLOADS", _parse_count, default.most_payloads),
            keep_runs=read("SEGUE_KEEP_RUNS", parse_duration, default.keep_runs),
            most_runs=read("SEGUE_MOST_RUNS", _parse_count, default.most_runs),
            keep_last_runs=read("SEGUE_KEEP_LAST_RUNS", _parse_count, default.keep_last_runs),
            log=environ.get("SEGUE_LOG", "").strip() or None,
            oidc_issuer=environ.get("SEGUE_OIDC_ISSUER", "").strip() or None,
            oidc_client_id=environ.get("SEGUE_OIDC_CLIENT_ID", "").strip() or None,
            oidc_client_secret=read("SEGUE_OIDC_CLIENT_SECRET", Secret, default.oidc_client_secret),
            oidc_policies=read("SEGUE_OIDC_POLICIES", _parse_rules, default.oidc_policies),
            traces=_traces_wanted(environ),
            server=read("SEGUE_SERVER", parse_server, default.server),
            token=read("SEGUE_TOKEN", Secret, default.token),
            failpoint=environ.get("SEGUE_FAILPOINT") or None,
            debug=read("SEGUE_DEBUG", _parse_switch, default.debug),
        )
        if settings.keep_runs < settings.keep_payloads:
            raise ConfigError(
                "SEGUE_KEEP_RUNS is shorter than SEGUE_KEEP_PAYLOADS: what a run stored cannot outlive its record",
                code="bad_setting",
                steps=("Make SEGUE_KEEP_RUNS at least as long as SEGUE_KEEP_PAYLOADS.",),
            )
        return settings


def parse_size(text: str) -> int:
    """Bytes of ``600MB`` (powers of 1000), ``1GiB`` (of 1024) or a bare count. Raises ValueError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", text.strip())
    unit = _SIZE_UNITS.get(match[2].upper()) if match else None
    size = int(float(match[1]) * unit) if match and unit else 0
    if size < 1:
        raise ValueError(f"takes a size such as 600MB, 1GB or 2GiB, not {text!r}")
    return size


def parse_duration(text: str) -> float:
    """Seconds of ``90``, ``1.5``, ``90s``, ``30m``, ``1h30m`` or ``2d``; more than 0. Raises ValueError."""
    seconds = 0.0
    if re.fullmatch(r"\d+(\.\d+)?", text):
        seconds = float(text)
    elif match := _DURATION.fullmatch(text.lower()):
        seconds = sum(int(match[unit] or 0) * length for unit, length in _SECONDS.items())
    if not 0 < seconds < math.inf:
        raise ValueError(f"takes a duration such as 90s, 30m or 1h30m, not {text!r}")
    return seconds


def _traces_wanted(environ: Mapping[str, str]) -> bool:
    """Whether OpenTelemetry's variables name somewhere to send traces to, and do not switch them off."""
    off = environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or environ.get("OTEL_TRACES_EXPORTER") == "none"
    named = any(environ.get(f"OTEL_EXPORTER_OTLP_{which}ENDPOINT") for which in ("", "TRACES_"))
    return named and not off


def parse_server(text: str) -> str:
    """The address of a server without a slash at its end. Raises ValueError."""
    # The text itself may hold a password: it is not shown.
    try:
        parts = urlsplit(text)
        good = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0 and not parts.username
    except ValueError:
        good = False
    if not good or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("takes the address of a server, such as http://127.0.0.1:8321, without a path")
    return f"{parts.scheme}://{parts.netloc}"


def _parse_database_url(text: str) -> Secret:
    # The text itself may hold a password: it is not shown.
    try:
        scheme, place = urlsplit(text).scheme, urlsplit(text).path
    except ValueError:
        scheme = place = ""
    if scheme not in {"postgresql", "postgres"} or len(place) < 2:  # noqa: PLR2004 -- a slash and a name
        raise ValueError("takes postgresql://USER:PASSWORD@HOST:PORT/DATABASE")
    return Secret(text.replace("postgres://", "postgresql://", 1))


def _parse_count(text: str, *, most: int = 9999) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= most:
        raise ValueError(f"takes a whole number from 1 to {most}, not {text!r}")
    return int(text)


def _parse_scale(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", text):
        raise ValueError(f"takes a number of 0 or more, not {text!r}")
    return float(text)


def _parse_second_run(text: str) -> Literal["refuse", "wait"]:
    if text == "wait":
        return "wait"
    if text == "refuse":
        return "refuse"
    raise ValueError(f"takes refuse or wait, not {text!r}")


_RULE = re.compile(
    r"(?P<claim>[\w./-]+):(?P<value>[^=,]+)=(?P<policy>administrator|operator|activator|viewer)"
    r"(?P<options>(?:\+(?:restrict_pii|user_admin|run_only))*)"
)


def _parse_rules(text: str) -> tuple[PolicyRule, ...]:
    rules = []
    for part in text.split(","):
        match = _RULE.fullmatch(part.strip())
        if match is None:
            raise ValueError(f"takes claim:value=policy, such as groups:marketing=activator, not {part.strip()!r}")
        options = tuple(match["options"].split("+")[1:])
        rules.append(PolicyRule(claim=match["claim"], value=match["value"], policy=match["policy"], options=options))
    return tuple(rules)


def _parse_switch(text: str) -> bool:
    if text.lower() not in _SWITCHES:
        raise ValueError(f"takes 1 or 0, not {text!r}")
    return _SWITCHES[text.lower()]
