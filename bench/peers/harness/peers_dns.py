"""The DNS servers: how each is configured for a scenario and started. The configurations are templates in ../dns."""

import dataclasses
import ipaddress
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
BY_SUBNET = frozenset({"ecs", "cidr"})  # the answers that the client's network decides
OUTSIDE = "203.0.113.0/24"  # in none of the networks: the first address


@dataclasses.dataclass(frozen=True)
class DnsSetup:
    """The zone example.test: `hosts` names h0, h1 ... with an A and an AAAA record; w weighted over four values, f primary
    and secondary, both governed by checks of 127.0.2.N:check_port; ecs (by latency) and cidr (by location) by client subnet
    over `nets` networks of /24."""
    hosts: int = 100
    nets: int = 1000
    check_port: int = 0
    probe: tuple = ("h0.example.test", "A", NOERROR)
    dynamic: str = ""  # "", weighted, failover, ecs, cidr: what the scenario asks for

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


def exchange(port, name, record_type, subnet=None, seconds=1.0):
    """The response to one query, or None; `subnet` is a /24 that goes with it (RFC 7871)."""
    question = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
    query = struct.pack("!6H", 0x1234, 0, 1, 0, 0, 1 if subnet else 0) + question + struct.pack("!2H", TYPES[record_type], 1)
    if subnet:
        option = struct.pack("!4H", 8, 7, 1, 24 << 8) + ipaddress.ip_network(subnet).network_address.packed[:3]
        query += struct.pack("!B2HIH", 0, 41, 1232, 0, len(option)) + option
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(seconds)
        client.connect(("127.0.0.1", port))
        try:
            client.send(query)
            response = client.recv(4096)
        except OSError:
            return None
    return response if len(response) >= len(query) and response[:2] == query[:2] else None


def ask(port, name, record_type):
    """(response code, number of answers) of one query, or None without a response."""
    response = exchange(port, name, record_type)
    if response is None:
        return None
    _, flags, _, answers, _, _ = struct.unpack("!6H", response[:12])
    return flags & 15, answers


def address_for(port, name, subnet):
    """What a client of the network is answered for A, or None: the one address of the answer section."""
    response = exchange(port, name, "A", subnet)
    if response is None:
        return None
    _, flags, _, answers, _, _ = struct.unpack("!6H", response[:12])
    if flags & 15 or answers != 1:
        return None
    record = 12 + len(name) + 2 + 4  # behind the question
    while response[record] and response[record] < 0xC0:  # the owner: labels, or a pointer
        record += 1 + response[record]
    record += 2 if response[record] else 1
    kind, _, _, size = struct.unpack("!2HIH", response[record:record + 10])
    return str(ipaddress.ip_address(response[record + 10:record + 14])) if (kind, size) == (1, 4) else None


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
            if setup.dynamic in BY_SUBNET:
                self.check_networks(setup, port, question)
        except PeerFailed:
            process.stop()
            raise
        return process

    def is_right(self, answer, expected):
        return answer == expected

    def check_networks(self, setup, port, name):
        """Every 7th network, and one outside of all, must be answered with its address."""
        asked = [setup.net(index) for index in range(0, setup.nets, 7)] + [(OUTSIDE, 0)]
        for net, where in asked:
            found = address_for(port, name, net)
            if found != region_address(where):
                raise PeerFailed(f"{self.name} answers {found} for {name} from {net}; {region_address(where)} is right")


class WeirDns(DnsPeer):
    name, version_arguments = "weir", ("version",)
    features = frozenset({"weighted", "failover", "ecs", "cidr"})

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
                      f"      - {{name: ecs, type: A, set: s{index}, region: {region[index]}, {governed}}}",
                      f"      - {{name: cidr, type: A, set: s{index}, cidr: {{collection: nets, location: {region[index]}}}, "
                      f"{governed}}}"]
            if index < 2:
                role = ("PRIMARY", "SECONDARY")[index]
                lines.append(f"      - {{name: f, type: A, set: s{index}, failover: {role}, {governed}}}")
        checks = [f"  - {{name: check{index}, type: TCP, address: {region_address(index)}, port: {setup.check_port}, "
                  "request-interval: 10s}" for index in range(REGIONS)]
        rows = [f"{net},{region[where]},10\n" for net, where in map(setup.net, range(setup.nets))]
        lines.append("      - {name: cidr, type: A, set: rest, cidr: {collection: nets, location: '*'}, ttl: 30s, "
                     f"values: [{region_address(0)}]}}")
        blocks = {name: [] for name in region}
        for net, where in map(setup.net, range(setup.nets)):
            blocks[region[where]].append(net)
        (folder / "latency.csv").write_text("".join(rows))
        fill_dns("weir.yaml", folder, "weir.yaml", PORT=port, ADMIN_PORT=free_port(), RECORDS="\n".join(lines),
                 REGIONS="\n".join(f"  - {{name: {name}, latitude: 0, longitude: {10 * i}}}" for i, name in enumerate(region)),
                 CHECKS="\n".join(checks),
                 LOCATIONS="\n".join(f"      - {{name: {name}, cidrs: [{', '.join(nets)}]}}" for name, nets in blocks.items()))
        return [self.path(), "run", folder / "weir.yaml", "--workers", 1, "--log-level", "warning"], {}


class BaselineDns(WeirDns):
    """Another build of weir, to compare a change with what was before it."""
    name = program_name = "baseline"

    def path(self):
        return self.options.baseline


class Gdnsd(DnsPeer):
    name = program_name = "gdnsd"
    version_arguments = ("version",)
    features = frozenset({"weighted", "failover", "ecs", "cidr"})

    def prepare(self, setup, folder, port):
        for name in ("zones", "run", "state"):
            (folder / name).mkdir()
        dynamic = "w 30 DYNA weighted!w\nf 30 DYNA simplefo!f\necs 30 DYNA geoip!ecs\ncidr 30 DYNA geoip!ecs\n"
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
    features = frozenset({"weighted", "ecs", "cidr"})

    def prepare(self, setup, folder, port):
        write_zone(setup, folder, "w 30 A 127.0.2.1\necs 30 A 127.0.2.1\ncidr 30 A 127.0.2.1\n")
        (folder / "weighted.conf").write_text("w.example.test:\n" + "".join(
            f"  - weight: {10 * (index + 1)}\n    A: {region_address(index)}\n" for index in range(REGIONS)))
        nets = "".join(f"  - net: {net}\n    A: {region_address(where)}\n" for net, where in map(setup.net, range(setup.nets)))
        (folder / "nets.conf").write_text("".join(f"{name}.example.test:\n{nets}" for name in sorted(BY_SUBNET)))
        module = "weighted" if setup.dynamic == "weighted" else "nets" if setup.dynamic in BY_SUBNET else ""
        modules = f"module: [mod-geoip/{module}]" if module else ""
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
    features = frozenset({"weighted", "failover", "ecs", "cidr"})

    def path(self):
        return self.options.floor / "floor_udp_echo"

    def version(self):
        return "bench/peers/floor/udp_echo.cc"

    def prepare(self, setup, folder, port):
        return [self.path(), "--port", port], {}

    def is_right(self, answer, expected):
        return answer is not None

    def check_networks(self, setup, port, name):
        """It knows none."""


PEERS = {peer.name: peer for peer in (WeirDns, BaselineDns, Gdnsd, Knot, Nsd, Pdns, Bind, Echo)}
