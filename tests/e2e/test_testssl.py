"""testssl.sh against AWS's policies: versions, suites and their order as AWS lists them, no weakness but those of the policy.

Every change has three policies that differ by versions, suites and order, and the default one's weaknesses of an implementation.
WEIR_E2E_POLICIES=all (scripts/test-long) has every policy and every weakness. It is the client that takes the time, not weir.
"""

import concurrent.futures
import json
import os
import subprocess

from tls_e2e import certificate, yaml
from weir_e2e import SANITIZED, SCALE, SOURCE, free_port

# spec: alb.md 18.2. Below TLS 1.3: the list of 2016-08, in its order, by what a policy has of it.
T13 = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")
SUITES = (
    ("ECDHE-ECDSA-AES128-GCM-SHA256", "gcm"), ("ECDHE-RSA-AES128-GCM-SHA256", "gcm"),
    ("ECDHE-ECDSA-AES128-SHA256", "sha2"), ("ECDHE-RSA-AES128-SHA256", "sha2"),
    ("ECDHE-ECDSA-AES128-SHA", "sha1"), ("ECDHE-RSA-AES128-SHA", "sha1"),
    ("ECDHE-ECDSA-AES256-GCM-SHA384", "gcm"), ("ECDHE-RSA-AES256-GCM-SHA384", "gcm"),
    ("ECDHE-ECDSA-AES256-SHA384", "sha2"), ("ECDHE-RSA-AES256-SHA384", "sha2"),
    ("ECDHE-ECDSA-AES256-SHA", "sha1"), ("ECDHE-RSA-AES256-SHA", "sha1"),
    ("AES128-GCM-SHA256", "rsa-gcm"), ("AES128-SHA256", "rsa-sha2"), ("AES128-SHA", "rsa-sha1"),
    ("AES256-GCM-SHA384", "rsa-gcm"), ("AES256-SHA256", "rsa-sha2"), ("AES256-SHA", "rsa-sha1"))
RES, PLAIN, EXT0 = {"gcm"}, {"gcm", "sha2"}, {"gcm", "sha2", "sha1"}
EXT1 = PLAIN | {"rsa-gcm", "rsa-sha2"}
EXT2 = EXT0 | {"rsa-gcm", "rsa-sha2", "rsa-sha1"}


def table():
    """name: (versions, what is below TLS 1.3, TLS 1.3, which of AES128 and AES256 in which order)."""
    both, aes256, reversed_ = ("AES128", "AES256"), ("AES256",), ("AES256", "AES128")
    rows = {}
    for name, versions, kinds in (
            ("1-3", "3", set()), ("1-2", "32", PLAIN), ("1-2-Res", "32", RES), ("1-2-Ext0", "32", EXT0), ("1-2-Ext1", "32", EXT1),
            ("1-2-Ext2", "32", EXT2), ("1-1", "321", EXT2), ("1-0", "3210", EXT2)):
        if name != "1-2-Ext0":
            rows[f"TLS13-{name}-2021-06"] = (versions, kinds, T13, both)
        if name not in ("1-2-Ext0", "1-1"):
            rows[f"TLS13-{name}-PQ-2025-09"] = (versions, kinds, T13, both)
        rows[f"TLS13-{name}-FIPS-2023-04"] = (versions, kinds, T13[:2], both)
        if name != "1-1":
            rows[f"TLS13-{name}-FIPS-PQ-2025-09"] = (versions, kinds, T13[:2], both)
    for name, versions, kinds in (("TLS-1-2-Ext-2018-06", "2", EXT2), ("TLS-1-2-2017-01", "2", EXT1), ("TLS-1-1-2017-01", "21", EXT2),
                                  ("2016-08", "210", EXT2), ("FS-1-2-Res-2020-10", "2", RES), ("FS-1-2-Res-2019-08", "2", PLAIN),
                                  ("FS-1-2-2019-08", "2", EXT0), ("FS-1-1-2019-08", "21", EXT0), ("FS-2018-06", "210", EXT0)):
        rows[name] = (versions, kinds, (), both)
    for name, versions, kinds in (("1-3", "3", set()), ("1-2", "32", RES), ("1-2-Ext0", "32", {"gcm", "rsa-gcm"})):
        rows[f"TLS13-{name}-RFC9151-FIPS-2023-07"] = (versions, kinds, T13[1:2], aes256)
    for index, kinds in enumerate((RES, PLAIN, EXT0, EXT2), 1):
        rows[f"TLS13-1-2-RFC9151-INTEROP{index}-FIPS-2023-07"] = ("32", kinds, T13[1::-1], reversed_)
    return rows


POLICIES = table()
NAMES = {"3": "TLS1_3", "2": "TLS1_2", "1": "TLS1_1", "0": "TLS1"}  # of testssl.sh
# The one whose implementation is looked at: the default policy, which has the most. Under a sanitizer it is one with few suites,
# and no other policy is asked for: they differ in their data only.
WHOLE = "TLS13-1-2-Res-2021-06" if SANITIZED else "2016-08"
CHOSEN = () if SANITIZED else ("TLS13-1-3-2021-06", "TLS13-1-2-RFC9151-INTEROP1-FIPS-2023-07")
ORDER = ["--server-preference"]
IMPLEMENTATION = ["--protocols", "--heartbleed", "--ccs-injection", "--ticketbleed", "--renegotiation", "--compression", "--tls-fallback", "--freak", "--drown"]
ALL = os.environ.get("WEIR_E2E_POLICIES") == "all"

# What testssl.sh calls more than LOW and a policy has because AWS made it so, by what of the policy it follows from: BEAST is
# about TLS 1.0, all of whose suites have CBC.
INHERENT = {"BEAST_CBC_TLS1": lambda versions, kinds: "0" in versions and bool(kinds & {"sha1", "rsa-sha1"})}


def expected(policy, version):
    """The suites of one version in the order in which a server with an ECDSA and an RSA certificate takes them: the certificate is
    chosen first, ECDSA before RSA (alb.md 18.1), then the suite."""
    _, kinds, modern, sizes = POLICIES[policy]
    if version == "3":
        return list(modern)
    listed = [name for size in sizes for name, kind in SUITES if kind in kinds and size in name and (version == "2" or name.endswith("-SHA"))]
    if sizes == ("AES128", "AES256"):  # not sorted by the size alone: RSA key exchange is last
        listed = [name for name, kind in SUITES if kind in kinds and (version == "2" or name.endswith("-SHA"))]
    return sorted(listed, key=lambda name: "ECDSA" not in name)


def config(pairs, port, addresses):
    balancers = "".join(f"""
  - name: {policy.lower()}
    addresses: [{address}]
    listeners:
      - port: {port}
        protocol: HTTPS
        ssl-policy: ELBSecurityPolicy-{policy}
        certificates: {yaml(*pairs)}
        default-actions: [{{fixed-response: {{status-code: 200, message-body: hello}}}}]""" for policy, address in addresses.items())
    return f"load-balancers:{balancers}\nadmin: {{address: 127.0.0.1, port: 0}}\n"


def scan(folder, name, port, addresses, sections):
    """What testssl.sh found, by address and its ids. It takes seconds to start, so that one process scans several addresses: those
    that `host`, which it asks for a name's addresses, tells it. testssl_tools.sh spares it most of its processes."""
    tools = folder / name
    tools.mkdir()
    answers = "".join(f"echo shop.example.test has address {address}\n" for address in addresses)
    (tools / "host").write_text(f'#!/bin/sh\n[ "$2" = a ] || exit 0\n{answers}')
    (tools / "host").chmod(0o755)
    report = tools / "report.json"
    done = subprocess.run(
        ["testssl", "--quiet", "--color", "0", "--warnings", "off", "--jsonfile", report, "--add-ca", folder / "ec.pem", *sections, f"shop.example.test:{port}"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=(14400 if ALL else 1200) * SCALE, check=False, cwd=tools,
        env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "BASH_ENV": str(SOURCE / "tests/e2e/testssl_tools.sh"), "TERM": "dumb", "LC_ALL": "C",
             "USLEEP_SND": "0.01", "USLEEP_REC": "0.02"})
    assert report.exists(), done.stdout + done.stderr
    found = {address: {} for address in addresses}
    for item in json.loads(report.read_text()):
        address = item["ip"].rpartition("/")[2]
        if address in found:
            found[address].setdefault(item["id"], []).append(item)
    return found


def mistakes(policy, found):
    """How a scan differs from what AWS says."""
    versions, kinds, _, _ = POLICIES[policy]
    if "SSLv2" in found:  # --protocols
        for name in ("SSLv2", "SSLv3"):
            if found[name][0]["finding"] != "not offered":
                yield f"{name}: {found[name][0]['finding']}"
        for version, name in NAMES.items():
            if found[name][0]["finding"].startswith("offered") != (version in versions):
                yield f"{name}: {found[name][0]['finding']}"
    ordered = {identity.removeprefix("cipherorder_"): items[0]["finding"].split() for identity, items in found.items() if identity.startswith("cipherorder_")}
    wanted = {NAMES[version].replace("TLS", "TLSv"): expected(policy, version) for version in versions}
    if ordered != wanted:
        yield f"{ordered} is not {wanted}"
    for identity, items in found.items():
        for item in items:
            if item["severity"] in ("MEDIUM", "HIGH", "CRITICAL", "FATAL", "WARN"):
                follows = INHERENT.get(identity)
                if follows is None or not follows(versions, kinds):
                    yield f"{identity}: {item['severity']}: {item['finding']}"


def test_policies_are_what_aws_says(run, tmp_path):
    pairs = [certificate(tmp_path, "ec", ["shop.example.test"]), certificate(tmp_path, "rsa", ["shop.example.test"], key="rsa")]
    policies = list(POLICIES) if ALL else [WHOLE, *CHOSEN]
    addresses = {policy: f"127.0.2.{index}" for index, policy in enumerate(policies, 1)}
    port = free_port(address="127.0.2.1")
    run(config(pairs, port, addresses))
    if ALL:
        parts = [(policies[index::2], ["--protocols", *ORDER, "--vulnerable"]) for index in range(2)]
    else:
        parts = [(names, sections) for names, sections in (([WHOLE], [*ORDER, *IMPLEMENTATION]), (list(CHOSEN), ORDER)) if names]
    found = {}
    with concurrent.futures.ThreadPoolExecutor(len(parts)) as pool:
        scans = [pool.submit(scan, tmp_path, f"scan-{index}", port, [addresses[each] for each in names], sections) for index, (names, sections) in enumerate(parts)]
        for each in scans:
            found.update(each.result())
    wrong = {policy: list(mistakes(policy, found[addresses[policy]])) for policy in policies}
    assert {policy: said for policy, said in wrong.items() if said} == {}
