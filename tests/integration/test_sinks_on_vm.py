"""The emoncms, influxdb and webhook sinks on the 32-bit MicroPython VM, in an ESP32's heap.

1,000 readings each, while the server is stopped and started twice. Time is compressed 20 times
where the sink waits.
"""

import json
import subprocess
import threading
import time
from decimal import Decimal

import exact

from tests import tiers
from tests.servers import emoncms, influxdb_v2, log_php, real_influxdb
from tests.waiting import HANG_S
from tools import ROOT
from tools.host import deps
from tools.rig import run_vm, vm

SCRIPT = ROOT / "tests" / "vm" / "scripts" / "sinks_vm.py"
COUNT = 1000
UNIX = 848404800 + 946684800

SHARED = {
    "name": "sink",
    "sources": None,
    "channels": None,
    "every": 0,
    "interval": 0,
    "batch": 2000,
    "rate": 0,
    "timeout": 60,
    "ca": None,
    "verify": True,
}
INFLUXDB = {
    **{"database": "", "user": "", "password": "", "retention_policy": "", "bucket": ""},
    **{"org": "", "token": "", "measurement": "energy", "tags": {}},
    **{"version_tags": False, "sources": None, "backfill": "in_order"},
}

WEBHOOK = {"type": "webhook", "format": "log.php", "key": log_php.KEY, "body": "", "values": []}


def run(folder, entry, stops=None, profile="esp32", slots=COUNT, pause_ms=4):
    """The report of the VM; stops is called in a thread while it works."""
    if deps.path() is None:
        tiers.missing("micropython-lib's aiohttp", "deps", "make deps")
    job = {
        "entry": {**SHARED, **entry},
        "count": COUNT,
        "slots": slots,
        "pause_ms": pause_ms,
        "speed": 20,
    }
    file = folder / "job.json"
    file.write_text(json.dumps(job))
    try:
        command = run_vm.command(SCRIPT, [str(file)], profile)
    except vm.Unavailable as error:
        tiers.missing("the MicroPython VM", "vm", str(error))
    thread = threading.Thread(target=stops or (lambda: None))
    thread.start()
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=HANG_S, cwd=folder, check=False
    )
    thread.join()
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


def restarts(server):
    """Stops and starts the server twice."""

    def work():
        for _ in range(2):
            time.sleep(1.2)
            server.stop()
            time.sleep(0.7)
            server.start()

    return work


def assert_complete(report, retried=True):
    assert report["sent"] == COUNT, report
    assert (report["dropped"], report["set_aside"], report["state"]) == (0, 0, "ok"), report
    assert not retried or report["retried"] > 0, report


def test_influxdb(tmp_path):
    with real_influxdb.RealInfluxdb(tmp_path / "influxdb") as server:
        server.create("energy")
        entry = {**INFLUXDB, "type": "influxdb", "url": server.url, "database": "energy"}
        report = run(tmp_path, entry, restarts(server))
        rows = server.rows("energy", 'SELECT * FROM "energy" ORDER BY time')
    assert_complete(report)
    assert [int(row["time"]) - UNIX for row in rows] == list(range(COUNT))
    for number, row in enumerate(rows):
        assert Decimal(row["energy_import_t1"]) == Decimal(45678123 + 7 * number) / 1000
        assert row["power_import"] == str(number)


def test_emoncms(tmp_path):
    with emoncms.EmonCms() as server:
        moods = ["php_fatal", "500", "cut_before", "cut_after", "503", "silent", "hang"]
        server.script = [mode for mood in moods for mode in ("ok", mood)]
        entry = {"type": "emoncms", "url": server.url, "key": emoncms.WRITE_KEY, "node": ""}
        report = run(tmp_path, entry, restarts(server))
    assert_complete(report)
    assert not server.script
    stored = {when - UNIX: inputs for _, when, inputs in server.rows}
    assert stored == {
        n: {"energy_import_t1": exact.text(45678123 + 7 * n, 3), "power_import": str(n)}
        for n in range(COUNT)
    }


def test_influxdb_2_in_small_batches(tmp_path):
    with influxdb_v2.InfluxDb2() as server:
        entry = {
            **INFLUXDB,
            "type": "influxdb",
            "url": server.url,
            "org": influxdb_v2.ORG,
            "bucket": influxdb_v2.BUCKET,
            "token": influxdb_v2.TOKEN,
            "batch": 512,
        }
        report = run(tmp_path, entry, slots=COUNT, pause_ms=4)
    assert_complete(report, retried=False)
    assert len(server.points) == COUNT


def test_webhook(tmp_path):
    with log_php.LogPhp(tmp_path / "log") as server:
        moods = ["500", "cut_before", "503", "php", "hang"]
        server.script = [mode for mood in moods for mode in ("ok", mood)]
        values = ["p1.power_import", "", "p1.energy_import_t1"]
        entry = {**WEBHOOK, "url": server.address, "values": values}
        report = run(tmp_path, entry, restarts(server))
        lines = server.store.lines()
        targets = {request.target for request in server.requests}
    assert_complete(report)
    assert targets == {"/log.php"} and not server.store.rejected
    # In order; one whose answer a stop of the server took may stand there twice.
    lines = [line for number, line in enumerate(lines) if line != lines[number - 1]]
    assert lines == [
        "19.11.2026,12:%02d:%02d,%d,,%s" % (*divmod(n, 60), n, exact.text(45678123 + 7 * n, 3))
        for n in range(COUNT)
    ]


def test_webhook_with_a_body(tmp_path):
    with log_php.Hook() as server:
        server.script = ["503", "401", "cut_before"]
        body = '{"t": {time}, "e": {p1.energy_import_t1}, "x": {heat.power}}'
        entry = {**WEBHOOK, "format": "json", "url": server.url, "body": body}
        report = run(tmp_path, entry)
    assert_complete(report)
    assert server.bodies == [
        '{"t": %d, "e": %s, "x": null}' % (UNIX + n, exact.text(45678123 + 7 * n, 3))
        for n in range(COUNT)
    ]


def test_webhook_without_a_time(tmp_path):
    with log_php.Hook() as server:
        server.script = ["503", "503"]
        body = '{"e": {p1.energy_import_t1}}'
        entry = {**WEBHOOK, "format": "json", "url": server.url, "body": body}
        report = run(tmp_path, entry)
    found = [json.loads(text)["e"] for text in server.bodies]
    assert found == sorted(found) and found[-1] == (45678123 + 7 * (COUNT - 1)) / 1000
    assert report["sent"] == len(found) and report["superseded"] == COUNT - len(found)
    assert (report["dropped"], report["set_aside"], report["state"]) == (0, 0, "ok")
