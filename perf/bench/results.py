# SPDX-License-Identifier: Apache-2.0
"""The table, the ratios and the file that keeps them."""

import datetime
import json
import os
import platform
import re
import statistics

from world import HERE, ROOT

MEASURES = ("cpu_us", "user_us", "system_us", "requests_per_second", "p50_ms", "p99_ms", "rss_mib")

# name: (scenario, contestant) over (scenario, contestant)
RATIOS = {
    "allowed_vs_envoy": (("allowed_rs256", "sallyport"), ("allowed_rs256", "envoy")),
    "allowed_es256_vs_envoy": (("allowed_es256", "sallyport"), ("allowed_es256", "envoy")),
    "allowed_vs_haproxy_rs256": (("allowed_rs256", "sallyport"), ("allowed_rs256", "haproxy-rs256")),
    "allowed_vs_nginx_no_auth": (("allowed_rs256", "sallyport"), ("allowed_rs256", "nginx-no-auth")),
    "allowed_vs_stock": (("allowed_rs256", "sallyport"), ("allowed_rs256", "stock-gateway")),
    "rs256_first_use_vs_envoy": (("first_use_rs256", "sallyport-small-cache"), ("first_use_rs256", "envoy-no-cache")),
    "es256_first_use_vs_haproxy": (("first_use_es256", "sallyport-small-cache"), ("first_use_es256", "haproxy-es256")),
    "denied_no_token_vs_envoy": (("denied_no_token", "sallyport"), ("denied_no_token", "envoy")),
    "denied_no_token_vs_netty_constant": (("denied_no_token", "sallyport"), ("denied_no_token", "netty-constant")),
    "netty_constant_vs_envoy": (("denied_no_token", "netty-constant"), ("denied_no_token", "envoy")),
    "denied_no_token_vs_stock": (("denied_no_token", "sallyport"), ("denied_no_token", "stock-gateway")),
    "denied_expired_vs_envoy": (("denied_expired", "sallyport"), ("denied_expired", "envoy")),
    "denied_signature_vs_envoy": (("denied_signature", "sallyport"), ("denied_signature", "envoy")),
    "denied_vs_allowed": (("denied_no_token", "sallyport"), ("allowed_rs256", "sallyport")),
    "routes_10000_vs_10": (("allowed_rs256", "sallyport-10000-routes"), ("allowed_rs256", "sallyport")),
    "identities_100_vs_1": (("identities_100", "sallyport-100-identities"), ("identities_100", "sallyport-1-identity")),
    "gateway_filter_route_vs_direct": (("filtered", "sallyport"), ("allowed_rs256", "sallyport")),
    "body_10k_vs_envoy": (("body_10k", "sallyport"), ("body_10k", "envoy")),
    "body_1m_vs_envoy": (("body_1m", "sallyport"), ("body_1m", "envoy")),
    "upload_10k_vs_envoy": (("upload_10k", "sallyport"), ("upload_10k", "envoy")),
    "upload_1m_vs_envoy": (("upload_1m", "sallyport"), ("upload_1m", "envoy")),
    "http2_vs_envoy": (("http2", "sallyport"), ("http2", "envoy")),
    "churn_vs_envoy": (("churn", "sallyport"), ("churn", "envoy")),
    "churn_resumed_vs_envoy": (("churn_resumed", "sallyport"), ("churn_resumed", "envoy")),
}


def spread(values):
    return {"median": round(statistics.median(values), 2), "min": round(min(values), 2), "max": round(max(values), 2)}


def tabulate(samples):
    rows = []
    for (scenario, name), taken in samples.items():
        rows.append({"scenario": scenario, "contestant": name, "wrong": sum(sample["wrong"] for sample in taken),
                     "cpu_us_rounds": [round(sample["cpu_us"], 2) for sample in taken],
                     **{key: spread([sample[key] for sample in taken]) for key in MEASURES}})
    return rows


# The same, of the 99th percentile of how long an answer takes.
LATENCY_RATIOS = {
    "p99_at_half_load_vs_envoy": (("half_load", "sallyport"), ("half_load", "envoy")),
}


def ratios(rows, starts, disturbances):
    found = _ratios(rows, "cpu_us", RATIOS) | _ratios(rows, "p99_ms", LATENCY_RATIOS)
    if starts:
        found["start_aot_cache_vs_stock"] = round(starts["sallyport-aot-cache"]["median"] / starts["stock-gateway"]["median"], 3)
    if disturbances:
        p99 = disturbances["p99_ms"]
        found["p99_in_a_flood_vs_alone"] = round(p99["flood"] / p99["alone"], 3)
        found["p99_with_a_reload_vs_alone"] = round(p99["reload"] / p99["alone"], 3)
        found["p99_with_reloads_vs_alone"] = round(p99["reloads"] / p99["alone"], 3)
        if "envoy flood" in p99:
            found["p99_of_envoy_in_a_flood_vs_alone"] = round(p99["envoy flood"] / p99["envoy alone"], 3)
    return found


def _ratios(rows, measure, wanted):
    of = {(row["scenario"], row["contestant"]): row[measure]["median"] for row in rows}
    return {name: round(of[over] / of[under], 3) for name, (over, under) in wanted.items() if over in of and of.get(under)}


def show(rows, starts, disturbances, found, contestants):
    print(f"{'scenario':17} {'contestant':22} {'CPU us/request':>24} {'user':>7} {'system':>7} {'req/s':>7} {'p50 ms':>7} {'p99 ms':>7} {'MiB':>5} {'wrong':>5}")
    for row in rows:
        c = row["cpu_us"]
        m = {key: row[key]["median"] for key in MEASURES}
        print(f"{row['scenario']:17} {row['contestant']:22} {c['median']:8.1f} ({c['min']:.1f} to {c['max']:.1f})".ljust(65)
              + f"{m['user_us']:7.1f} {m['system_us']:7.1f} {m['requests_per_second']:7.0f} {m['p50_ms']:7.1f} {m['p99_ms']:7.1f}"
              f" {m['rss_mib']:5.0f} {row['wrong']:5d}")
    print()
    for name, seconds in starts.items():
        print(f"start to first answer  {name:22} {seconds['median']:5.2f} s ({seconds['min']:.2f} to {seconds['max']:.2f})")
    for name, p99 in disturbances.get("p99_ms", {}).items():
        rounds = disturbances["p99_ms_of_rounds"][name]
        print(f"p99 of a steady client, {name:12} {p99:6.2f} ms ({min(rounds):.2f} to {max(rounds):.2f} in one round),"
              f" {disturbances['wrong'][name]} wrong")
    if disturbances:
        print(f"{disturbances['reloads']} reloads of 10,000 routes, {disturbances['forged_sent']} forged tokens;"
              f" in the first flood {disturbances['p99_ms_of_first_flood']:.2f} ms")
    print()
    for contestant in contestants:
        if contestant.lacks:
            print(f"{contestant.name}: {contestant.lacks}")
    print()
    for name, ratio in found.items():
        print(f"{name}: {ratio}")


COLOURS = {"sallyport": "#0b6e4f", "envoy": "#a23b72", "haproxy": "#3a6ea5", "nginx": "#7a7a7a", "netty": "#444", "stock": "#c17c00"}


def plot(rows, title):
    """A bar for each contestant of each scenario, CPU per request; its thin line is the spread over the rounds. As SVG."""
    shown = [row for row in rows if row["cpu_us"]["median"] > 0]
    bar, gap, left, width = 14, 16, 310, 560
    per_us = {}
    for row in shown:
        per_us[row["scenario"]] = max(per_us.get(row["scenario"], 0), row["cpu_us"]["max"])
    parts, y, scenario = [], 44, None
    for row in shown:
        if row["scenario"] != scenario:
            scenario = row["scenario"]
            y += gap
            parts.append(f'<text x="10" y="{y + 11}" font-weight="bold">{scenario}</text>')
        scale = width / per_us[scenario]
        cpu = row["cpu_us"]
        colour = COLOURS.get(row["contestant"].split("-")[0], "#444")
        middle = y + bar / 2
        parts.append(f'<text x="{left - 8}" y="{y + 11}" text-anchor="end">{row["contestant"]}</text>'
                     f'<rect x="{left}" y="{y}" width="{cpu["median"] * scale:.1f}" height="{bar}" fill="{colour}"/>'
                     f'<path d="M{left + cpu["min"] * scale:.1f} {middle}H{left + cpu["max"] * scale:.1f}" stroke="#000"/>'
                     f'<text x="{left + cpu["max"] * scale + 6:.1f}" y="{y + 11}">{cpu["median"]:g}</text>')
        y += bar + 4
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 90}" height="{y + 20}" font-family="sans-serif" font-size="12">'
            f'<rect width="100%" height="100%" fill="#fff"/><text x="10" y="20" font-size="15">CPU for each request, microseconds</text>'
            f'<text x="10" y="38">{title}</text>{"".join(parts)}</svg>\n')


def jvm_options():
    with open(os.path.join(ROOT, "gateway-app", "jvm.options")) as lines:
        return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def processor():
    with open("/proc/cpuinfo") as info:
        model = re.search(r"model name\s*:\s*(.*)", info.read())
    return model.group(1) if model else "unknown"


def keep(options, rows, starts, disturbances, found, contestants):
    os.makedirs(os.path.join(HERE, "results"), exist_ok=True)
    day = datetime.date.today().isoformat()
    target = os.path.join(HERE, "results", day + ".json")
    machine = {"cores": os.cpu_count(), "architecture": platform.machine(), "processor": processor(), "kernel": platform.release().split("-")[0]}
    with open(target, "w") as file:
        json.dump({"machine": machine, "options": options, "jvm": jvm_options(), "ratios": found, "rows": rows,
                   "start_seconds": starts, "disturbed": disturbances,
                   "lacks": {each.name: each.lacks for each in contestants if each.lacks}}, file, indent=2)
        file.write("\n")
    with open(os.path.join(HERE, "results", day + ".svg"), "w") as file:
        file.write(plot(rows, f"{day}, {machine['cores']} cores, {machine['processor']}; each scenario has a scale of its own"))
    return target
