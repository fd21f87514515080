"""The DNS servers: how each is configured for a scenario and started. The configurations are templates in ../dns."""

import dataclasses
import pathlib
import re
import socket
import struct

from .peers_http import Peer
from .process import PeerFailed, Process, free_port

DNS_FOLDER = pathlib.Path(__file__).resolve().parents[1] / "dns"
REGIONS = 4
TYPES = {"A": 1, "AAAA": 28}
NOERROR, NXDOMAIN = 0, 3
LOAD_SECONDS_MAX = 180


@dataclasses.dataclass(frozen=True)
class DnsSetup:
    """The zone example.test: `hosts` names h0, h1 ... with an A and an AAAA record; w weighted over four values, f primary
    and secondary, both governed by checks of 127.0.2.N:check_port; ecs by client subnet over `nets` networks of /24."""
    hosts: int = 100
    nets: int = 1000
    check_port: int = 0
    probe: tuple = ("h0.example.test", "A", NOERROR)
    dynamic: str = ""  # "", weighted, failover, ecs: what the scenario asks for

    def addresses(self, index):
        return f"10.{index >> 16 & 255}.{index >> 8 & 255}.{index & 255}", f"2001:db8::{index >> 16:x}:{index & 65535:x}"

    def net(self, index):
        """Network, and the region that answers for it."""
        return f"11.{index >> 8}.{index & 255}.0/24", index % REGIONS


def region_address(region):
    return f"127.0.2.{region + 1}"


def fill_dns(template, folder, name, **values):
    text = (DNS_FOLDER / template).read_text()
    for key, value in values.items():
        text = text.replace(f"@{key}@", str(value))
    left = re.findall(r"@[A-Z_]+@", text)
    if left:
        raise AssertionError(f"{template}: no value for {', '.join(left)}")
    (folder / name).write_text(text)
    return folder / name


def ask(port, name, record_type, seconds=1.0):
    """(response code, number of answers) of one query, or None without a response."""
    question = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
    query = struct.pack("!6H", 0x1234, 0, 1, 0, 0, 0) + question + struct.pack("!2H", TYPES[record_type], 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(seconds)
        client.connect(("127.0.0.1", port))
        try:
            client.send(query)
            response = client.recv(4096)
        except OSError:
            return None
    if len(response) < 12 or response[:2] != query[:2]:
        return None
    _, flags, _, answers, _, _ = struct.unpack("!6H", response[:12])
    return flags & 15, answers


def write_zone(setup, folder, dynamic=""):
    """A zone file as every server reads it, and `dynamic` lines."""
    lines = ["$ORIGIN example.test.", "$TTL 300", "@ SOA ns1 hostmaster 1 7200 900 1209600 60", "@ NS ns1", "ns1 A 192.0.2.10"]
    for index in range(setup.hosts):
        v4, v6 = setup.addresses(index)
        lines += [f"h{index} A {v4}", f"h{index} AAAA {v6}"]
    (folder / "zone").write_text("\n".join(lines) + "\n" + dynamic)
    return folder / "zone"


class DnsPeer(Peer):
    """A DNS server. `features` are the dynamic answers that it can give."""

    def start(self, setup, folder, cpus, name=None):
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        port = free_port(socket.SOCK_DGRAM)
        command, extra = self.prepare(setup, folder, port)
        process = Process(name or self.name, command, cpus, folder, **extra)
        process.port, process.peer, process.setup, process.folder = port, self, setup, folder
        question, record_type, code = setup.probe
        expected = (code, 1 if code == NOERROR else 0)
        try:
            process.wait_until(lambda: self.is_right(ask(port, question, record_type), expected),
                               f"the right answer to {question} {record_type}", LOAD_SECONDS_MAX)
        except PeerFailed:
            process.stop()
            raise
        return process

    def is_right(self, answer, expected):
        return answer == expected


class WeirDns(DnsPeer):
    name, version_arguments = "weir", ("version",)
    features = frozenset({"weighted", "failover", "ecs"})

    def path(self):
        return self.options.weir

    def prepare(self, setup, folder, port):
        region = [f"r{index}" for index in range(REGIONS)]
        lines = []
        for index in range(setup.hosts):
            v4, v6 = setup.addresses(index)
            lines += [f"      - {{name: h{index}, type: A, ttl: 5m, values: [{v4}]}}",
                      f"      - {{name: h{index}, type: AAAA, ttl: 5m, values: ['{v6}']}}"]
        for index in range(REGIONS):
            governed = f"ttl: 30s, values: [{region_address(index)}], health-check: check{index}"
            lines += [f"      - {{name: w, type: A, set: s{index}, weight: {10 * (index + 1)}, {governed}}}",
                      f"      - {{name: ecs, type: A, set: s{index}, region: {region[index]}, {governed}}}"]
            if index < 2:
                role = ("PRIMARY", "SECONDARY")[index]
                lines.append(f"      - {{name: f, type: A, set: s{index}, failover: {role}, {governed}}}")
        checks = [f"  - {{name: check{index}, type: TCP, address: {region_address(index)}, port: {setup.check_port}, "
                  "request-interval: 10s}" for index in range(REGIONS)]
        rows = [f"{net},{region[where]},10\n" for net, where in map(setup.net, range(setup.nets))]
        (folder / "latency.csv").write_text("".join(rows))
        fill_dns("weir.yaml", folder, "weir.yaml", PORT=port, ADMIN_PORT=free_port(), RECORDS="\n".join(lines),
                 REGIONS="\n".join(f"  - {{name: {name}, latitude: 0, longitude: {10 * i}}}" for i, name in enumerate(region)),
                 CHECKS="\n".join(checks))
        return [self.path(), "run", folder / "weir.yaml", "--workers", 1, "--log-level", "warning"], {}


class Gdnsd(DnsPeer):
    name = program_name = "gdnsd"
    version_arguments = ("-V",)
    features = frozenset({"weighted", "failover", "ecs"})

    def prepare(self, setup, folder, port):
        for name in ("zones", "run", "state"):
            (folder / name).mkdir()
        dynamic = "w 30 DYNA weighted!w\nf 30 DYNA simplefo!f\necs 30 DYNA geoip!ecs\n"
        write_zone(setup, folder, dynamic).rename(folder / "zones" / "example.test")
        weighted = [f"    s{i} => [{region_address(i)}, {10 * (i + 1)}]" for i in range(REGIONS)]
        nets = [f"      {net} => [dc{where}]" for net, where in map(setup.net, range(setup.nets))]
        fill_dns("gdnsd.conf", folder, "config", PORT=port, FOLDER=folder, CHECK_PORT=setup.check_port,
                 WEIGHTED="\n".join(weighted), NETS="\n".join(nets), DATACENTERS=", ".join(f"dc{i}" for i in range(REGIONS)),
                 DCMAP="\n".join(f"      dc{i} => {region_address(i)}" for i in range(REGIONS)))
        return [self.path(), "-c", folder, "start"], {}


class Knot(DnsPeer):
    name, program_name = "knot", "knotd"
    version_arguments = ("-V",)
    features = frozenset({"weighted", "ecs"})

    def prepare(self, setup, folder, port):
        write_zone(setup, folder, "w 30 A 127.0.2.1\necs 30 A 127.0.2.1\n")
        (folder / "weighted.conf").write_text("w.example.test:\n" + "".join(
            f"  - weight: {10 * (index + 1)}\n    A: {region_address(index)}\n" for index in range(REGIONS)))
        (folder / "nets.conf").write_text("ecs.example.test:\n" + "".join(
            f"  - net: {net}\n    A: {region_address(where)}\n" for net, where in map(setup.net, range(setup.nets))))
        modules = {"": "", "weighted": "module: [mod-geoip/weighted]", "ecs": "module: [mod-geoip/nets]"}[setup.dynamic]
        fill_dns("knot.conf", folder, "knot.conf", PORT=port, FOLDER=folder, MODULES=modules)
        return [self.path(), "-c", folder / "knot.conf"], {}


class Nsd(DnsPeer):
    name = program_name = "nsd"
    version_arguments = ("-v",)

    def prepare(self, setup, folder, port):
        write_zone(setup, folder)
        return [self.path(), "-d", "-c", fill_dns("nsd.conf", folder, "nsd.conf", PORT=port, FOLDER=folder)], {}


class Pdns(DnsPeer):
    name, program_name = "pdns", "pdns_server"

    def prepare(self, setup, folder, port):
        zone = write_zone(setup, folder)
        (folder / "named.conf").write_text(f'zone "example.test" {{ type master; file "{zone}"; }};\n')
        fill_dns("pdns.conf", folder, "pdns.conf", PORT=port, FOLDER=folder)
        return [self.path(), f"--config-dir={folder}"], {}


class Bind(DnsPeer):
    name, program_name = "bind", "named"
    version_arguments = ("-v",)

    def prepare(self, setup, folder, port):
        write_zone(setup, folder)
        return [self.path(), "-g", "-n", 1, "-c", fill_dns("named.conf", folder, "named.conf", PORT=port, FOLDER=folder)], {}


class Echo(DnsPeer):
    """The floor; see ../floor/udp_echo.cc."""
    name = "echo"
    features = frozenset({"weighted", "failover", "ecs"})

    def path(self):
        return self.options.floor / "floor_udp_echo"

    def version(self):
        return "bench/peers/floor/udp_echo.cc"

    def prepare(self, setup, folder, port):
        return [self.path(), "--port", port], {}

    def is_right(self, answer, expected):
        return answer is not None


PEERS = {peer.name: peer for peer in (WeirDns, Gdnsd, Knot, Nsd, Pdns, Bind, Echo)}
