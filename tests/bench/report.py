"""Medians, ratios, goals, and the Markdown table."""

import statistics

UNITS = {
    "items_per_cpu_s": ("items/CPU-s", lambda x: f"{x / 1e6:.3f} M"),
    "items_per_s": ("items/s", lambda x: f"{x / 1e6:.3f} M"),
    "mb_per_cpu_s": ("MB/CPU-s", lambda x: f"{x:.0f}"),
    "peak_rss_mb": ("peak RSS", lambda x: f"{x:.0f} MiB"),
    "rss_mb": ("RSS", lambda x: f"{x:.1f} MiB"),
    "core_percent": ("of a core", lambda x: f"{x:.3f} %"),
    "p50_ms": ("p50", lambda x: f"{x:.2f} ms"),
    "p99_ms": ("p99", lambda x: f"{x:.2f} ms"),
    "start_ms": ("start", lambda x: f"{x:.0f} ms"),
}


def medians(rounds):
    """[{figure: number}, ...] to {figure: median}."""
    return {figure: statistics.median(each[figure] for each in rounds) for figure in rounds[0]}


def judge(goal, results, everything):
    """Yields (what, reached, wanted, ok) for each goal. `results` are medians by subject."""
    ours = results.get("weir") or next(iter(results.values()))
    peer = results.get("collector")
    if peer:
        for name, figure in (("ratio_min", "items_per_cpu_s"),):
            if name in goal:
                ratio = ours[figure] / peer[figure]
                yield "items a CPU-second, times the Collector's", f"{ratio:.1f}", f">= {goal[name]}", ratio >= goal[
                    name
                ]
        for name, figure in (
            ("p50_ratio_max", "p50_ms"),
            ("p99_ratio_max", "p99_ms"),
            ("peak_rss_ratio_max", "peak_rss_mb"),
        ):
            if name in goal:
                ratio = ours[figure] / peer[figure]
                yield f"{UNITS[figure][0]}, share of the Collector's", f"{ratio:.2f}", f"<= {goal[name]}", ratio <= goal[
                    name
                ]
    for name, figure in (
        ("rss_mb_max", "rss_mb"),
        ("core_percent_max", "core_percent"),
        ("start_ms_max", "start_ms"),
    ):
        if name in goal:
            text = UNITS[figure][1]
            yield UNITS[figure][0], text(ours[figure]), f"<= {text(goal[name])}", ours[
                figure
            ] <= goal[name]
    if "relay_share_min" in goal and "relay" in everything:
        share = ours["mb_per_cpu_s"] / everything["relay"]
        yield "bytes a CPU-second, share of the bare relay's", f"{share:.2f}", f">= {goal['relay_share_min']}", share >= goal[
            "relay_share_min"
        ]
    if "cost_spread_max" in goal:
        costs = [1 / each["items_per_cpu_s"] for each in results.values()]
        spread = max(costs) / min(costs) - 1
        yield "CPU an item, most over least", f"+{spread * 100:.0f} %", f"<= +{goal['cost_spread_max'] * 100:.0f} %", spread <= goal[
            "cost_spread_max"
        ]
    other = goal.get("as_cheap_as")
    if other and other in everything.get("scenarios", {}):
        ratio = ours["items_per_cpu_s"] / everything["scenarios"][other]["weir"]["items_per_cpu_s"]
        yield f"items a CPU-second, times `{other}`", f"{ratio:.2f}", ">= 1", ratio >= 1


def figures(result):
    shown = [
        f"{UNITS[name][1](number)} {UNITS[name][0]}"
        for name, number in result.items()
        if name in UNITS
    ]
    if result.get("delivered_share", 1) < 1:
        shown.append(f"**only {result['delivered_share'] * 100:.2f} % delivered**")
    return ", ".join(shown)


def scenario_rows(scenario, results, everything):
    """The rows of one scenario, and whether all its goals were reached."""
    names = list(results)
    goals = list(judge(scenario.get("goal", {}), results, everything))
    cells = "<br>".join(f"{name}: {figures(results[name])}" for name in names)
    told = "<br>".join(
        f"{'reached' if ok else '**missed**'}: {what} {reached} ({wanted})"
        for what, reached, wanted, ok in goals
    )
    return f"| `{scenario['name']}` {scenario['title']} | {cells} | {told} |", all(
        ok for *_, ok in goals
    )


HEAD = "| scenario | medians | goals |\n| --- | --- | --- |"
