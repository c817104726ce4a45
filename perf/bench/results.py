# SPDX-License-Identifier: Apache-2.0
"""The table, the ratios and the file that keeps them."""

import datetime
import json
import os
import platform
import re
import statistics

from world import HERE

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
    "denied_no_token_vs_stock": (("denied_no_token", "sallyport"), ("denied_no_token", "stock-gateway")),
    "denied_expired_vs_envoy": (("denied_expired", "sallyport"), ("denied_expired", "envoy")),
    "denied_signature_vs_envoy": (("denied_signature", "sallyport"), ("denied_signature", "envoy")),
    "denied_vs_allowed": (("denied_no_token", "sallyport"), ("allowed_rs256", "sallyport")),
    "routes_10000_vs_10": (("allowed_rs256", "sallyport-10000-routes"), ("allowed_rs256", "sallyport")),
    "gateway_filter_route_vs_direct": (("filtered", "sallyport"), ("allowed_rs256", "sallyport")),
    "body_10k_vs_envoy": (("body_10k", "sallyport"), ("body_10k", "envoy")),
    "body_1m_vs_envoy": (("body_1m", "sallyport"), ("body_1m", "envoy")),
    "http2_vs_envoy": (("http2", "sallyport"), ("http2", "envoy")),
    "churn_vs_envoy": (("churn", "sallyport"), ("churn", "envoy")),
}


def spread(values):
    return {"median": round(statistics.median(values), 1), "min": round(min(values), 1), "max": round(max(values), 1)}


def tabulate(samples):
    rows = []
    for (scenario, name), taken in samples.items():
        rows.append({"scenario": scenario, "contestant": name, "wrong": sum(sample["wrong"] for sample in taken),
                     **{key: spread([sample[key] for sample in taken]) for key in MEASURES}})
    return rows


def ratios(rows):
    cpu = {(row["scenario"], row["contestant"]): row["cpu_us"]["median"] for row in rows}
    return {name: round(cpu[over] / cpu[under], 3) for name, (over, under) in RATIOS.items() if over in cpu and under in cpu}


def show(rows, found, contestants):
    print(f"{'scenario':17} {'contestant':22} {'CPU us/request':>24} {'user':>7} {'system':>7} {'req/s':>7} {'p50 ms':>7} {'p99 ms':>7} {'MiB':>5} {'wrong':>5}")
    for row in rows:
        c = row["cpu_us"]
        m = {key: row[key]["median"] for key in MEASURES}
        print(f"{row['scenario']:17} {row['contestant']:22} {c['median']:8.1f} ({c['min']:.1f} to {c['max']:.1f})".ljust(65)
              + f"{m['user_us']:7.1f} {m['system_us']:7.1f} {m['requests_per_second']:7.0f} {m['p50_ms']:7.1f} {m['p99_ms']:7.1f}"
              f" {m['rss_mib']:5.0f} {row['wrong']:5d}")
    print()
    for contestant in contestants:
        if contestant.lacks:
            print(f"{contestant.name}: {contestant.lacks}")
    print()
    for name, ratio in found.items():
        print(f"{name}: {ratio}")


def processor():
    with open("/proc/cpuinfo") as info:
        model = re.search(r"model name\s*:\s*(.*)", info.read())
    return model.group(1) if model else "unknown"


def keep(options, rows, found, contestants):
    os.makedirs(os.path.join(HERE, "results"), exist_ok=True)
    target = os.path.join(HERE, "results", datetime.date.today().isoformat() + ".json")
    machine = {"cores": os.cpu_count(), "architecture": platform.machine(), "processor": processor(), "kernel": platform.release().split("-")[0]}
    with open(target, "w") as file:
        json.dump({"machine": machine, "options": options, "ratios": found, "rows": rows,
                   "lacks": {each.name: each.lacks for each in contestants if each.lacks}}, file, indent=2)
        file.write("\n")
    return target
