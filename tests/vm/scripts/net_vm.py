"""Do what a job file says with net/, and print what came of it, as one JSON object.

Runs on MicroPython and on CPython alike; tests/integration/net_runtimes.py starts it.

    {"dns": [["127.0.0.1", 5300]],         name servers; left out: the system's
     "warm": 0, "repeat": 1,               rounds before and after the first measurement
     "together": false,                    all steps at once
     "steps": [{"do": "http", "method": "POST", "url": ..., "body": ..., "headers": {...},
                "ca": ..., "verify": true, "timeout_ms": 1000, "limit": 2048,
                "login": ["admin", "secret"],     one for all steps with the same
                "pieces": true},                  the body by a receiver: "pieces" of the result
               {"do": "dns", "host": ..., "timeout_ms": 1000},
               {"do": "ntp", "host": ..., "port": ..., "timeout_ms": 1000}]}

    {"results": [...],                     of the last round
     "longest_step_ms": 12,                the longest time that another task had to wait
     "fds": [4, 4], "heap": [9000, 9000]}  after the warm-up, and at the end; heap 0 on CPython
"""

import asyncio
import gc
import json
import os
import sys

from httpauth import Login

from joulelog import clock
from joulelog.errors import ConfigError
from joulelog.net import dns, http, ntp, tls

longest_step_ms = 0
contexts: dict = {}
logins: dict = {}


async def watch() -> None:
    """Note how long the other tasks keep the loop."""
    global longest_step_ms
    while True:
        before = clock.uptime_ms()
        await clock.sleep_ms(5)
        longest_step_ms = max(longest_step_ms, clock.uptime_ms() - before - 5)


def context(step: dict):
    """One context per certificate, as a sink has one for all of its requests."""
    key = (step["url"][:5], step.get("ca"), step.get("verify"))
    if key not in contexts:
        contexts[key] = tls.context(step)
    return contexts[key]


def login(step: dict):
    """One login per device, as a reader has one for all of its requests."""
    if "login" not in step:
        return None
    user, password = step["login"]
    if (user, password) not in logins:
        logins[user, password] = Login(user, password, os.urandom)
    return logins[user, password]


async def http_step(step: dict) -> dict:
    body = step.get("body")
    pieces: list = []
    status, headers, answer = await http.request(
        step.get("method", "POST"),
        step["url"],
        None if body is None else memoryview(bytearray(body.encode())),
        step.get("headers"),
        context(step),
        step.get("timeout_ms", 2000),
        step.get("limit", 2048),
        pieces.append if "pieces" in step else None,
        login(step),
    )
    sizes = [len(piece) for piece in pieces]
    found = {"status": status, "headers": headers, "body": str(answer, "utf-8"), "pieces": sizes}
    if pieces:
        found["body"] = str(b"".join(pieces), "utf-8")
    return found


async def run_step(step: dict) -> dict:
    started = clock.uptime_ms()
    try:
        if step["do"] == "http":
            result = await http_step(step)
        elif step["do"] == "dns":
            result = {"address": await dns.resolve(step["host"], step["timeout_ms"])}
        else:
            result = {"time": await ntp.query(step["host"], step["timeout_ms"], step["port"])}
    except (OSError, ConfigError) as error:
        result = {"error": str(error), "kind": type(error).__name__}
    result["ms"] = clock.uptime_ms() - started
    return result


async def run_round(job: dict) -> list:
    if job.get("together"):
        return list(await asyncio.gather(*[run_step(step) for step in job["steps"]]))
    results = []
    for step in job["steps"]:
        results.append(await run_step(step))
    return results


def fds() -> int:
    return len(os.listdir("/proc/self/fd"))


def heap() -> int:
    gc.collect()
    return gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0


async def main(job: dict) -> None:
    if "dns" in job:
        known = [(server[0], server[1]) for server in job["dns"]]
        dns.servers = lambda: known
    watcher = asyncio.create_task(watch())
    for _ in range(job.get("warm", 0)):
        await run_round(job)
    await clock.sleep_ms(20)
    fds_before, heap_before = fds(), heap()
    results = []
    for _ in range(job.get("repeat", 1)):
        results = None  # so that the measurements compare like with like
        results = await run_round(job)
    last, results = results, None
    await clock.sleep_ms(20)
    watcher.cancel()
    report = {"longest_step_ms": longest_step_ms, "fds": [fds_before, fds()]}
    if job.get("warm"):
        last = None
    report["heap"] = [heap_before, heap()]
    report["results"] = last
    print(json.dumps(report))


with open(sys.argv[1]) as file:
    todo = json.load(file)
asyncio.run(main(todo))
