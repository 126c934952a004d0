"""The results as text, every assumption above what follows from it."""

from typing import Any

Content = dict[str, Any]


def run_line(run: Content) -> str:
    """One simulated run."""
    crashes = sum(run["crashes"].values())
    verdict = "kept" if not run["findings"] else f"BROKEN: {run['findings'][0]}"
    return (
        f"seed {run['seed']:3}: {run['orders']} orders, {run['crossing']} between homes,"
        f" {run['settled']} settled, {run['moved']} customers moved; {crashes} crashes,"
        f" {run['outages']} outages; {verdict}"
    )


def summed(runs: list[Content]) -> Content:
    """All runs together."""
    totals: Content = {"runs": len(runs)}
    for name in ("orders", "crossing", "settled", "refused", "moved", "outages"):
        totals[name] = sum(run[name] for run in runs)
    for name in ("messages", "crashes"):
        kinds = sorted({kind for run in runs for kind in run[name]})
        totals[name] = {kind: sum(run[name].get(kind, 0) for run in runs) for kind in kinds}
    totals["most_in_flight"] = max(run["most_in_flight"] for run in runs)
    totals["simulated_s"] = sum(run["simulated_s"] for run in runs)
    totals["findings"] = [one for run in runs for one in run["findings"]]
    return totals


def lines(content: Content) -> list[str]:
    """Everything that a reader needs to judge the figures, and the figures."""
    return [
        *_assumed(content),
        *_measured(content),
        *_simulated(content),
        *_partitions(content),
        *_deployments(content),
        *_hot(content),
    ]


def _assumed(content: Content) -> list[str]:
    shown = ["", f"ASSUMED on {content['declared_on']} (bench/growth/assumptions.py; replace)"]
    for name, one in content["assumptions"].items():
        shown.append(f"  {name:16} {one['value']:>13,.10g} {one['unit']:24} {one['because']}")
    return shown


def _measured(content: Content) -> list[str]:
    shown = ["", "MEASURED (CPU us by step; ledger and store alone in step_us; bytes)"]
    figures = {**content["cpu_us"], **content["measured"]}
    for name, found in figures.items():
        shown.append(f"  {name:16} {found!s:>13} {content['sources'].get(name, '')}")
    return shown


def _simulated(content: Content) -> list[str]:
    one, shape = content["simulated"], content["shape"]
    orders = (
        f"  {one['runs']} runs, {one['orders']} orders, {one['crossing']} between homes,"
        f" {one['settled']} settled, {one['refused']} refused, {one['moved']} customers moved"
    )
    return [
        "",
        f"SIMULATED ({shape['source']})",
        orders,
        f"  messages {one['messages']}; crashes by step {one['crashes']}; outages {one['outages']}",
        f"  findings of the checker: {len(one['findings'])}",
    ]


_COLUMNS = (
    ("choice", "home by"),
    ("homes", "homes"),
    ("crossing", "crossing"),
    ("customers_max_over_mean", "cust max/mean"),
    ("load_max_over_mean", "load max/mean"),
    ("busiest_writer", "busiest writer"),
    ("carries_the_peak", "carries"),
    ("writer_us", "writer us"),
    ("front_cores", "front cores"),
    ("member_cores", "member cores"),
    ("cores", "cores"),
    ("disk_tib_year", "disk TiB/y"),
    ("clients_mbit_s", "clients Mbit/s"),
    ("replication_mbit_s", "repl Mbit/s"),
    ("between_homes_mbit_s", "homes Mbit/s"),
    ("wait_if_one_fails", "wait if 1 fails"),
)


def _partitions(content: Content) -> list[str]:
    shown = ["", "THE TARGET'S PEAK OVER HOMES", "  " + " ".join(words for _, words in _COLUMNS)]
    for row in content["partitions"]:
        cells = [f"{_text(row[name]):>{len(words)}}" for name, words in _COLUMNS]
        shown.append("  " + " ".join(cells))
    return shown


def _text(found: object) -> str:
    if isinstance(found, bool):
        return "yes" if found else "no"
    return str(found)


def _deployments(content: Content) -> list[str]:
    shown = []
    for title, name in (("THE TARGET", "large"), ("THE SMALLEST WITH REDUNDANCY", "small")):
        shown += ["", title, *(f"  {what:28} {found}" for what, found in content[name].items())]
    return shown


_PAGE = (
    ("choice", "home by"),
    ("homes", "homes"),
    ("crossing", "between homes"),
    ("load_max_over_mean", "load, max/mean"),
    ("busiest_writer", "busiest writer (cores)"),
    ("writer_us", "writers (us a payment)"),
    ("cores", "cores in all"),
    ("disk_tib_year", "disk (TiB a year, 3 copies)"),
    ("wait_if_one_fails", "waits if one home fails"),
)


_ON_PAGE = {("hash", 6), ("hash", 8), ("hash", 16), ("region", 8), ("region", 16)}


def page_table(rows: list[Content]) -> list[str]:
    """The lines of the table on docs/explanation/growth.md: all by cell, some of the others."""
    rows = [one for one in rows if one["choice"] == "cell" or _place(one) in _ON_PAGE]
    heads = "| " + " | ".join(words for _, words in _PAGE) + " |"
    rule = "|" + "---|" * len(_PAGE)
    shown = [heads, rule]
    for row in rows:
        cells = [_page_cell(name, row) for name, _ in _PAGE]
        shown.append("| " + " | ".join(cells) + " |")
    return shown


def _place(row: Content) -> tuple[str, int]:
    return row["choice"], row["homes"]


def page_figures(content: Content) -> list[str]:
    """Pieces of text with the figures that the page repeats outside of its table."""
    run, small, large = content["simulated"], content["small"], content["large"]
    cpu, measured, first = content["cpu_us"], content["measured"], content["hot"][0]
    last = small["price_month"]["month 12"]
    lost, crashes = run["messages"], sum(run["crashes"].values())
    return [
        f"{run['runs']} runs: {run['orders']:,} orders, {run['crossing']:,} between homes",
        f"{lost['lost']:,} messages lost, {lost['doubled']:,} doubled, {lost['late']:,} late",
        f"{crashes:,} crashes, {run['outages']} outages, {run['moved']} customers moved",
        f"| local payment | {cpu['local']} |",
        f"| hold | {cpu['hold']} |",
        f"| credit | {cpu['credit']} |",
        f"| capture | {cpu['capture']} |",
        f"| front and quote | {cpu['front'] + cpu['quote']:.1f} |",
        f"{cpu['crossing'] / cpu['local']:.1f} times a local one",
        f"{measured['payment_bytes']:,} bytes a payment",
        f"{measured['customer_bytes']:,} bytes a customer",
        f"{large['homes']} homes by cell on {large['cores']} cores",
        f"{large['disk_gib_after_a_year'] // 1024} TiB a year",
        f"{large['price_month']['all']:,} a month",
        f"{first['payments_per_s']} payments a second, {first['credit_cores']} of a core",
        f"{small['mean_per_s']} payments a second on average, {small['peak_per_s']} at the peak",
        f"{small['cores_each']} cores, {small['memory_gib_each']} GiB of memory",
        f"{small['disk_gib_each']['month 12']:,} GiB of disk each after a year",
        f"{small['carries_per_s']:,} payments a second",
        f"{small['price_month']['month 1']['all']:,} in the first month",
        f"{last['all']:,} in the twelfth, {last['disk']:,} of that for disk",
    ]


def _page_cell(name: str, row: Content) -> str:
    if name in {"crossing", "wait_if_one_fails"}:
        return f"{row[name]:.0%}"
    if name == "busiest_writer" and not row["carries_the_peak"]:
        return f"{row[name]:.2f}, too much"
    return f"{row[name]:.2f}" if isinstance(row[name], float) else str(row[name])


def _hot(content: Content) -> list[str]:
    rows = [
        f"  the {row['merchants']:3} most paid: {row['share']:.2%} of all payments,"
        f" {row['payments_per_s']}/s, {row['credit_cores']} of a core"
        for row in content["hot"]
    ]
    return ["", "HOT MERCHANTS at the peak: credits at one home's writer", *rows]
