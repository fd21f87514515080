#!/usr/bin/env python3
"""Writes a large configuration to standard output: RULES listener rules, GROUPS target groups and RECORDS record sets.

Usage: generate_large.py [RULES] [GROUPS] [RECORDS]   (default 10000 1000 100000)
The load time of the result is measured by hand: `time weir check FILE`.
"""
import sys


def main():
    rules, groups, records = (int(a) for a in (sys.argv[1:4] + ["10000", "1000", "100000"][len(sys.argv) - 1:]))
    out = ["load-balancers:", "  - name: large", "    listeners:", "      - port: 8080", "        rules:"]
    for i in range(rules):
        out.append(f"          - priority: {i + 1}")
        out.append(f"            conditions: [{{host-header: [h{i % 500}.example.test]}}, {{path-pattern: [\"/p{i}/*\"]}}]")
        out.append(f"            actions: [{{forward: {{target-group: g{i % groups}}}}}]")
    out.append("        default-actions: [{fixed-response: {status-code: 404}}]")
    out.append("target-groups:")
    for i in range(groups):
        out.append(f"  - name: g{i}")
        out.append("    targets:")
        out.append(f"      - {{address: 10.{i // 250}.{i % 250}.1, port: 9001}}")
        out.append(f"      - {{address: 10.{i // 250}.{i % 250}.2, port: 9001}}")
    out.append("health-checks:")
    for i in range(100):
        out.append(f"  - {{name: c{i}, type: HTTP, address: 192.0.2.{i + 1}, port: 80, path: /health}}")
    out.append("zones:")
    out.append("  - name: example.test")
    out.append("    name-servers: [ns1.example.test.]")
    out.append("    records:")
    for i in range(records):
        address = f"10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}"
        if i % 4 < 2:
            out.append(f"      - {{name: w{i // 2}, type: A, set: s{i % 2}, weight: {i % 4 + 1}, ttl: 60s, "
                       f"values: [{address}], health-check: c{i % 100}}}")
        else:
            out.append(f"      - {{name: h{i}, type: A, ttl: 5m, values: [{address}]}}")
    print("\n".join(out))


if __name__ == "__main__":
    main()
