"""Plans and runs as people read them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from segue.client import values

_MB = 1_000_000


def show_plan(plan: values.Plan, *, then: bool = True) -> None:
    """Print a plan. then: with the command that carries it out."""
    from rich.console import Console  # noqa: PLC0415 -- loads half of rich
    from rich.text import Text  # noqa: PLC0415

    console = Console(highlight=False)
    console.print(Text(f"Plan {plan.id}: {plan.orchestration}", style="bold"))
    place = f"{plan.list_name} ({plan.list_id or 'to be made'}) in {plan.account}"
    console.print(_table("", {"list": place}))
    dropped = _listed(plan.duplicates)
    rows: dict[str, object] = {
        "source rows": plan.source,
        "- duplicates": _detail(sum(plan.duplicates.values()), dropped),
        "- rejected": plan.rejected,
        "= added": plan.added,
        "  changed": _detail(plan.changed, _listed(plan.changed_fields)),
        "  unchanged": plan.unchanged,
    }
    if plan.held_back:
        rows["  held back"] = plan.held_back
    rows["cleared"] = _detail(plan.cleared, _listed(plan.cleared_fields))
    rows["removed"] = plan.removed + plan.foreign
    rows["kept, added by others"] = "unknown" if plan.others is None else plan.others
    console.print(_table("People", rows))
    if plan.problems:
        console.print(_table("Problems, by reason", dict(sorted(plan.problems.items()))))
    cost: dict[str, object] = dict(plan.requests)
    cost["bytes"] = f"{plan.bytes / _MB:,.1f} MB"
    cost["at least"] = f"{_time(plan.minutes)} at Klaviyo's limits"
    console.print(_table("Requests", cost))
    states = {f.name: f"{'BLOWN ' if f.blown else ''}{_fuse(f)}" for f in plan.fuses}
    console.print(_table("Fuses", dict(states)))
    _warn(console, plan.warnings)
    if plan.samples is not None:
        for kind, people in _samples(plan.samples).items():
            console.print(_table(f"First {kind}", people))
    if then:
        blown = "".join(f" --allow {f.name}" for f in plan.fuses if f.blown)
        console.print(
            Text(f'next: segue run "{plan.orchestration}" --plan {plan.id}{blown}', style="default"), soft_wrap=True
        )


def _samples(samples: values.PlanSamples) -> dict[str, dict[str, object]]:
    """Kind -> person -> what would become of them; kinds with nobody are left out."""
    told: dict[str, list[tuple[str | None, str]]] = {
        "added": [(row.key, _fields(row.after)) for row in samples.added],
        "changed": [(row.key, _differences(row)) for row in samples.changed],
        "cleared": [(row.key, ", ".join(row.fields)) for row in samples.cleared],
        "removed": [(row.key, _fields(row.before)) for row in samples.removed],
        "rejected": [(reject.key, f"{reject.field}: {reject.reason}") for reject in samples.rejected],
    }
    # Numbered: people whose keys are masked look alike.
    return {
        kind: {f"{number}. {key or 'no key'}": what for number, (key, what) in enumerate(people, start=1)}
        for kind, people in told.items()
        if people
    }


def _fields(payload: Mapping[str, Any] | None) -> str:
    flat = {name: value for name, value in (payload or {}).items() if name != "email"}
    return json.dumps(flat, ensure_ascii=False) if flat else "email only"


def _differences(row: values.PlannedRow) -> str:
    from segue.services.plan_samples import value_of  # noqa: PLC0415 -- loads Arrow

    return ", ".join(
        f"{name}: {_value(value_of(row.before, name))} -> {_value(value_of(row.after, name))}" for name in row.fields
    )


def _value(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _fuse(fuse: values.Fuse) -> str:
    if fuse.name == "allow_empty":
        return "nothing to send" if fuse.value else "not empty"
    return f"{fuse.value:.3g} of {fuse.limit:g}"


def show_run(run: values.Run, *, resumed: bool = False) -> None:
    """Print what came of a run, and what to do about an error."""
    from rich.console import Console  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console(highlight=False)
    colour = {"completed": "green", "completed with warnings": "yellow"}.get(run.status, "red")
    head = Text(f"Run {run.run_id}: ", style="bold")
    head.append(run.status, style=f"bold {colour}")
    head.append(f"  {run.orchestration}" + (" (undo)" if run.kind == "undo" else ""))
    console.print(head)
    if resumed:
        console.print("An unfinished run was finished; run again to send what changed since it began.")
    if run.list.name:
        made = ", made by this run" if run.list.created else ""
        console.print(_table("", {"list": f"{run.list.name} ({run.list.id or 'not made'}){made}"}))
    if run.counts:
        console.print(_table("People", dict(run.counts)))
    if run.requests:
        console.print(_table("Requests", dict(sorted(run.requests.items()))))
    if run.seconds is not None:
        console.print(_table("", {"seconds": f"{run.seconds:.1f}"}))
    _warn(console, run.warnings)
    told = {name: value for task in run.tasks for name, value in task.outcome.items()}
    _note(console, told.get("notes", ()))
    if _has_rejects(run, told):
        console.print(Text(f"next: segue rejects {run.run_id}", style="default"), soft_wrap=True)
    if run.error:
        _tell_error(run.error)
        typer.echo(f"next: segue resolve {run.run_id}", err=True)


def _has_rejects(run: values.Run, query: Mapping[str, object]) -> bool:
    named = run.error is not None and run.error.code == "duplicate_keys"
    return named or bool(run.counts.get("rejected")) or bool(query.get("problems"))


def _tell_error(error: values.Failure) -> None:
    typer.secho("error: ", err=True, fg="red", bold=True, nl=False)
    typer.echo(f"{error.message} [{error.code}]", err=True)
    if error.cause:
        typer.echo(f"cause: {error.cause}", err=True)
    for number, step in enumerate(error.steps, start=1):
        typer.echo(f"  {number}. {step}", err=True)


def _warn(console: Any, warnings: Any) -> None:
    from rich.text import Text  # noqa: PLC0415

    for warning in warnings:
        console.print(Text("warning: ", style="yellow").append(warning, style="default"))


def _note(console: Any, notes: Any) -> None:
    from rich.text import Text  # noqa: PLC0415

    for note in notes:
        console.print(Text("note: ", style="cyan").append(note, style="default"))


def _table(title: str, rows: Mapping[str, object]) -> Any:
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(
        title=title or None, title_justify="left", title_style="bold", box=None, show_header=False, pad_edge=True
    )
    table.add_column(min_width=24, no_wrap=True)
    table.add_column()
    for name, value in rows.items():
        text = f"{value:,}" if isinstance(value, int) else str(value)
        table.add_row(Text(name), Text(text))
    return table


def _time(minutes: float) -> str:
    """``5 s``, ``13 min``, ``22 h 13 min``: as exact as a forecast deserves."""
    if minutes < 1:
        return f"{minutes * 60:.0f} s"
    if minutes < 60:  # noqa: PLR2004 -- minutes of an hour
        return f"{minutes:.0f} min"
    return f"{minutes // 60:.0f} h {minutes % 60:.0f} min"


def _detail(count: int, listed: str) -> str:
    return f"{count:,}" + (f"  ({listed})" if listed and count else "")


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items(), key=lambda e: -e[1]) if count)
