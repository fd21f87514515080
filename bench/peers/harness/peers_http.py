"""The proxies: how each is configured for a scenario and started. The configurations are templates in ../http."""

import dataclasses
import pathlib
import re
import subprocess

from .load import HTTP_FOLDER, call_message
from .process import PeerFailed, Process, free_port, program
from .questions import SMALL, answers, answers_http2

RULES_DEFAULT = 10


@dataclasses.dataclass(frozen=True)
class Rules:
    """`count` rules of which a request for `host` and `path` matches the last."""
    kind: str = "exact"  # exact: host and path prefix; regex: a regular expression over the path
    count: int = RULES_DEFAULT

    def host(self, index):
        return f"host{index % 100}.example.test"

    def prefix(self, index):
        return f"/app{index}/"

    def regex(self, index):
        return f"^/v[0-9]+/app{index}/[a-z0-9]+$"

    def request(self, name):
        """Host and path of a request for the target's `name` that matches the last rule."""
        last = self.count - 1
        return self.host(last), (f"/v1/app{last}/{name}" if self.kind == "regex" else self.prefix(last) + name)


@dataclasses.dataclass(frozen=True)
class Setup:
    """What a scenario asks of a proxy."""
    targets: tuple = ()  # "address:port"
    workers: int = 1
    connections: int = 8192
    rules: Rules = Rules()
    has_rules: bool = False  # peers have rules where the scenario is about them; weir always has them
    large_bodies: bool = False
    access_log: str = ""  # "": off; "file", "syslog"
    log_port: int = 0  # syslog: where to
    health_seconds: int = 5
    can_reload: bool = False
    certificate: str = ""  # "": no TLS; else the kind of key, one of KEYS
    http2: bool = False  # with a certificate: ALPN offers h2
    target_protocol: str = ""  # with http2: HTTP2 or GRPC, with prior knowledge; "": HTTP/1.1
    websocket: bool = False  # upgrades are passed on
    group_attributes: str = ""  # of weir's target group

    @property
    def feature(self):
        """What a peer has to be able to do; None: nothing beside HTTP."""
        if self.target_protocol:
            return self.target_protocol.lower()
        known = {"log": self.access_log, "h2": self.http2, "tls": self.certificate, "websocket": self.websocket}
        return next((name for name, asked in known.items() if asked), None)


def fill(template, folder, name, **values):
    """Writes the template's text with every @NAME@ replaced; a name without a value is a defect of this program."""
    text = (HTTP_FOLDER / template).read_text()
    for key, value in values.items():
        text = text.replace(f"@{key}@", str(value))
    left = re.findall(r"@[A-Z_]+@", text)
    if left:
        raise AssertionError(f"{template}: no value for {', '.join(left)}")
    path = pathlib.Path(folder) / name
    path.write_text(text)
    return path


# TLS alike for all: TLS 1.3 alone, the cipher that an ALB prefers, tickets on, as by default.
KEYS = {"ecdsa": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"), "rsa": ("-newkey", "rsa:2048")}
TLS_CIPHER = "TLS_AES_128_GCM_SHA256"


def make_certificate(folder, kind):
    """A certificate for localhost as `certificate.pem`, its key as `key.pem`, and both in `both.pem`; `kind` is one of KEYS."""
    folder = pathlib.Path(folder)
    made = subprocess.run(["openssl", "req", "-x509", "-nodes", "-days", "30", *KEYS[kind], "-subj", "/CN=localhost",
                           "-addext", "subjectAltName=DNS:localhost", "-keyout", folder / "key.pem",
                           "-out", folder / "certificate.pem"], capture_output=True, text=True, check=False)
    if made.returncode:
        raise PeerFailed(f"openssl made no certificate: {made.stderr.strip()}")
    (folder / "both.pem").write_text((folder / "certificate.pem").read_text() + (folder / "key.pem").read_text())


def version_line(text):
    """The first line that has a version, without the time that some put before it; `?` when there is none."""
    line = next((line.strip() for line in text.splitlines() if re.search(r"\d\.\d", line)), "?")
    return re.sub(r"^\w{3} +\d+ [\d:]{8} ", "", line)


class Peer:
    """A proxy under comparison: `program_name` is what has to be installed."""
    name = program_name = ""
    version_arguments = ("--version",)
    # Of: log, rules, regex, targets, reload, workers, idle, tls, h2, websocket; targets by HTTP/2: http2, grpc.
    features = frozenset()

    def __init__(self, options):
        self.options = options

    def path(self):
        return program(self.program_name)

    def version(self):
        run = subprocess.run([self.path(), *self.version_arguments], capture_output=True, text=True, check=False)
        return version_line(run.stdout + run.stderr)

    def start(self, setup, folder, cpus, name=None):
        """The running proxy: a Process with `port`; it answers already."""
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        if setup.certificate:
            make_certificate(folder, setup.certificate)
        port = free_port()
        command, extra = self.prepare(setup, folder, port)
        process = Process(name or self.name, command, cpus, folder, **extra)
        process.port, process.peer, process.setup, process.folder = port, self, setup, folder
        try:
            process.wait_until(self.question(setup, folder, port), f"the target's answer at 127.0.0.1:{port}")
        except PeerFailed:
            process.stop()
            raise
        return process

    @staticmethod
    def question(setup, folder, port):
        """A function that is true when the proxy gives the target's answer."""
        host, path = setup.rules.request("small")
        if not setup.target_protocol:
            return lambda: answers(port, host, path, SMALL, bool(setup.certificate))
        message = folder / "call" if setup.target_protocol == "GRPC" else None
        if message:
            message.write_bytes(call_message(b""))
        return lambda: answers_http2(port, host, path, message)

    def prepare(self, setup, folder, port):
        """Writes the configuration; the command, and more arguments for Process."""
        raise NotImplementedError


class Weir(Peer):
    name, version_arguments = "weir", ("version",)
    features = frozenset({"log", "rules", "regex", "targets", "reload", "workers", "idle", "tls", "h2", "websocket", "http2", "grpc"})

    def path(self):
        return self.options.weir

    def prepare(self, setup, folder, port):
        rules = setup.rules
        lines = []
        for index in range(rules.count):
            if rules.kind == "regex":
                condition = f"[{{path-pattern: {{regex-values: ['{rules.regex(index)}']}}}}]"
            else:
                condition = f"[{{host-header: [{rules.host(index)}]}}, {{path-pattern: ['{rules.prefix(index)}*']}}]"
            lines.append(f"          - {{priority: {index + 1}, conditions: {condition}, "
                         "actions: [{forward: {target-group: targets}}]}")
        targets = "\n".join("      - {address: %s, port: %s}" % tuple(target.split(":")) for target in setup.targets)
        log = "access-log: {path: access.log, format: alb}" if setup.access_log else "# access log off"
        tls = ("protocol: HTTPS\n        ssl-policy: ELBSecurityPolicy-TLS13-1-3-2021-06\n"
               "        certificates: [{certificate: certificate.pem, key: key.pem}]")
        fill("weir.yaml", folder, "weir.yaml", PORT=port, PROTOCOL=tls if setup.certificate else "protocol: HTTP",
             RULES="\n".join(lines), TARGETS=targets, ACCESS_LOG=log, TARGET_PROTOCOL=setup.target_protocol or "HTTP1",
             GROUP_ATTRIBUTES=setup.group_attributes, MATCHER=0 if setup.target_protocol == "GRPC" else 200,
             HEALTH_SECONDS=setup.health_seconds, ADMIN_PORT=free_port())
        return [self.path(), "run", folder / "weir.yaml", "--workers", setup.workers, "--log-level", "warning",
                "--drain-timeout", 0], {}


class Baseline(Weir):
    """Another build of weir, to compare a change with what was before it."""
    name = program_name = "baseline"

    def path(self):
        return self.options.baseline


class Haproxy(Peer):
    name = program_name = "haproxy"
    version_arguments = ("-v",)
    features = frozenset({"log", "rules", "regex", "targets", "reload", "workers", "idle", "tls", "h2", "websocket", "http2", "grpc"})

    def prepare(self, setup, folder, port):
        log, defaults = "# no log", "# no log"
        if setup.access_log:
            target = "stdout format raw" if setup.access_log == "file" else f"127.0.0.1:{setup.log_port}"
            log, defaults = f"log {target} local0", "log global\n  option httplog"
        tls = f" ssl crt {folder}/both.pem ssl-min-ver TLSv1.3 ciphersuites {TLS_CIPHER}" if setup.certificate else ""
        tls += " alpn h2,http/1.1" if setup.http2 else ""
        # A reload takes the listening sockets over from the process before it.
        sockets = f"stats socket {folder}/stats.sock mode 600 level admin expose-fd listeners" if setup.can_reload else ""
        fill("haproxy.conf", folder, "haproxy.conf", PORT=port, TLS=tls, WORKERS=setup.workers, CONNECTIONS=setup.connections,
             BUFFER_BYTES=131072 if setup.large_bodies else 16384, GLOBAL=f"{log}\n  {sockets}", DEFAULTS=defaults,
             ROUTING=self.routing(setup, folder), HEALTH_SECONDS=setup.health_seconds,
             TARGETS="\n".join(f"  server target{i} {target}{' proto h2' * bool(setup.target_protocol)}"
                               for i, target in enumerate(setup.targets)))
        mode = ["-W", "-S", folder / "master.sock"] if setup.can_reload else ["-db"]
        output = {"stdout": folder / "access.log"} if setup.access_log == "file" else {}
        return [self.path(), *mode, "-f", folder / "haproxy.conf"], output

    @staticmethod
    def routing(setup, folder):
        """Host and path by map_beg, HAProxy's own answer to many rules; regular expressions by map_reg."""
        if not setup.has_rules:
            return "  default_backend targets"
        rules, lines = setup.rules, []
        for index in range(rules.count):
            key = rules.regex(index) if rules.kind == "regex" else rules.host(index) + rules.prefix(index)
            lines.append(f"{key} targets\n")
        (folder / "rules.map").write_text("".join(lines))
        if rules.kind == "regex":
            return f"  use_backend %[path,map_reg({folder}/rules.map)]"
        return f"  use_backend %[base,map_beg({folder}/rules.map)]"


class Nginx(Peer):
    name = program_name = "nginx"
    version_arguments = ("-v",)
    features = frozenset({"log", "rules", "regex", "targets", "reload", "workers", "idle", "tls", "h2", "websocket", "http2", "grpc"})

    def prepare(self, setup, folder, port):
        log = "access.log combined buffer=64k flush=1s" if setup.access_log else "off"
        buffer = "256k" if setup.large_bodies else "16k"
        tls = ("ssl_certificate certificate.pem; ssl_certificate_key key.pem; ssl_protocols TLSv1.3;\n"
               f"  ssl_conf_command Ciphersuites {TLS_CIPHER}; ssl_session_cache shared:tls:16m;")
        fill("nginx.conf", folder, "nginx.conf", WORKERS=setup.workers, CONNECTIONS=setup.connections, ACCESS_LOG=log,
             BUFFER=buffer, KEEPALIVE=max(256, 2 * len(setup.targets)), SERVERS=self.servers(setup, port),
             TLS=tls if setup.certificate else "# no TLS",
             TARGETS="\n".join(f"    server {target};" for target in setup.targets))
        return [self.path(), "-p", folder, "-c", folder / "nginx.conf", "-e", "stderr"], {}

    @staticmethod
    def servers(setup, port):
        """Hosts as server blocks with prefix locations (both are hashed or sorted); expressions as regex locations."""
        upgrade = "upgrade; proxy_set_header Upgrade $http_upgrade" if setup.websocket else '""'
        go = ("{ proxy_pass http://targets; proxy_http_version 1.1; proxy_set_header Host $host; "
              f"proxy_set_header Connection {upgrade}; }}")
        if setup.target_protocol:  # its only way to speak HTTP/2 to targets
            go = "{ grpc_pass grpc://targets; grpc_set_header Host $host; }"
        listen = f"listen 127.0.0.1:{port} backlog=4096" + (" ssl" if setup.certificate else "") + (" http2" if setup.http2 else "")
        if not setup.has_rules:
            return f"  server {{ {listen}; location / {go} }}"
        rules = setup.rules
        if rules.kind == "regex":
            locations = "\n".join(f'    location ~ "{rules.regex(index)}" {go}' for index in range(rules.count))
            return f"  server {{ {listen};\n{locations}\n  }}"
        by_host = {}
        for index in range(rules.count):
            by_host.setdefault(rules.host(index), []).append(f"    location {rules.prefix(index)} {go}")
        servers = [f"  server {{ {listen} default_server; return 404; }}"]
        servers += [f"  server {{ listen 127.0.0.1:{port}; server_name {host};\n" + "\n".join(lines) + "\n  }"
                    for host, lines in by_host.items()]
        return "\n".join(servers)


class H2o(Peer):
    name = program_name = "h2o"
    features = frozenset({"idle", "h2"})

    def prepare(self, setup, folder, port):
        tls = (f", ssl: {{certificate-file: {folder}/certificate.pem, key-file: {folder}/key.pem, minimum-version: TLSv1.2, "
               "cipher-suite: ECDHE+AESGCM, ocsp-update-interval: 0}") if setup.certificate else ""
        fill("h2o.conf", folder, "h2o.conf", PORT=port, TLS=tls, WORKERS=setup.workers, CONNECTIONS=setup.connections,
             TARGET=setup.targets[0])
        return [self.path(), "-m", "worker", "-c", folder / "h2o.conf"], {}


class Nghttpx(Peer):
    name = program_name = "nghttpx"
    features = frozenset({"idle", "h2", "http2", "grpc"})

    def prepare(self, setup, folder, port):
        tls = (f"private-key-file={folder}/key.pem\ncertificate-file={folder}/certificate.pem\ntls-min-proto-version=TLSv1.3\n"
               f"tls13-ciphers={TLS_CIPHER}") if setup.certificate else "# no TLS"
        fill("nghttpx.conf", folder, "nghttpx.conf", PORT=port, WORKERS=setup.workers, TLS=tls,
             PROTOCOL="h2" if setup.target_protocol else "http/1.1", FRONTEND="" if setup.certificate else ";no-tls", TARGET=setup.targets[0].replace(":", ","))
        return [self.path(), f"--conf={folder / 'nghttpx.conf'}"], {}


class Caddy(Peer):
    name = program_name = "caddy"
    version_arguments = ("version",)
    features = frozenset({"idle"})

    def prepare(self, setup, folder, port):
        fill("caddy.conf", folder, "Caddyfile", PORT=port, TARGET=setup.targets[0])
        return ([self.path(), "run", "--adapter", "caddyfile", "--config", folder / "Caddyfile"],
                {"environment": {"GOMAXPROCS": str(setup.workers), "HOME": str(folder), "XDG_DATA_HOME": str(folder)}})


class TrafficServer(Peer):
    name, program_name = "trafficserver", "traffic_server"
    features = frozenset({"idle"})

    def prepare(self, setup, folder, port):
        # Every path that the program knows is put inside the folder: nothing of the system's installation is read or written.
        root = folder / "root"
        places = {name: root / name for name in (
            "prefix", "exec_prefix", "bindir", "sbindir", "sysconfdir", "datadir", "includedir", "libdir", "libexecdir",
            "localstatedir", "runtimedir", "logdir", "cachedir")}
        for place in places.values():
            place.mkdir(parents=True)
        (root / "runroot.yaml").write_text("".join(f"{name}: {place}\n" for name, place in places.items()))
        configuration = places["sysconfdir"]
        fill("trafficserver.conf", configuration, "records.config", PORT=port, WORKERS=setup.workers,
             CONNECTIONS=setup.connections, FOLDER=root)
        (configuration / "remap.config").write_text(f"map / http://{setup.targets[0]}/\n")
        (configuration / "ip_allow.yaml").write_text(
            "ip_allow: [{apply: in, ip_addrs: 127.0.0.1, action: allow, methods: ALL}]\n")
        for name in ("storage.config", "plugin.config", "logging.yaml", "parent.config", "hosting.config",
                     "volume.config", "cache.config", "ssl_multicert.config", "splitdns.config", "sni.yaml"):
            (configuration / name).write_text("")
        return [self.path(), f"--run-root={root / 'runroot.yaml'}"], {}


class Relay(Peer):
    """The floor; see ../floor/relay.cc."""
    name, arguments = "relay", ()
    features = frozenset({"websocket"})

    def path(self):
        return self.options.floor / "floor_relay"

    def version(self):
        return "bench/peers/floor/relay.cc" + "".join(f" {word}" for word in self.arguments)

    def prepare(self, setup, folder, port):
        upstream = setup.targets[0].rpartition(":")[2]
        return [self.path(), "--port", port, "--upstream", upstream, *self.arguments], {}


class PooledRelay(Relay):
    name, arguments = "relay-pooled", ("--pooled",)
    features = frozenset({"idle", "targets"})

    def prepare(self, setup, folder, port):
        command, options = super().prepare(setup, folder, port)
        return [*command, "--targets", len(setup.targets)], options


class ClosingRelay(Relay):
    name, arguments = "relay-pooled", ("--pooled", "--close")


PEERS = {peer.name: peer for peer in (Weir, Baseline, Haproxy, Nginx, H2o, Nghttpx, TrafficServer, Caddy, Relay, PooledRelay)}
