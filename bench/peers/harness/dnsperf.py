"""DNS load by dnsperf: closed loop with a window of outstanding queries."""

import dataclasses
import pathlib
import re
import signal
import subprocess

from .load import GRACE_SECONDS, Sample
from .process import PeerFailed, Refused, program

# Queries under way. The receive buffer that Linux gives by default holds fewer than 270 small datagrams: with more, servers that
# do not enlarge it lose a part of each burst, and their rounds measure the generator's timeout.
OUTSTANDING = 128


@dataclasses.dataclass(frozen=True)
class Questions:
    """What a round asks: `file` has lines `name type`; a response code other than `expected` is an error, None expects any.
    `subnets` is a file of client subnets that take turns; dnsperf, which knows one, uses `subnet`."""
    file: pathlib.Path
    expected: str | None = "NOERROR"
    edns: bool = False
    subnets: pathlib.Path | None = None
    subnet: str = ""  # CIDR of IPv4, /24
    sockets: int = 1  # that take turns


class Dnsperf:
    name = "dnsperf"

    def __init__(self):
        self.path = program("dnsperf")
        if not self.path:
            raise Refused("dnsperf is not installed: scripts/install-dependencies bench")

    def version(self):
        text = subprocess.run([self.path, "-h"], capture_output=True, text=True, check=False)
        found = re.search(r"Version (\S+)", text.stdout + text.stderr)
        return f"dnsperf {found[1]}" if found else "dnsperf"

    def run(self, port, questions, seconds, cpus):
        """One round. dnsperf takes whole seconds: it is interrupted to end earlier, which it reports exactly."""
        command = ["taskset", "-c", cpus, self.path, "-s", "127.0.0.1", "-p", str(port), "-d", str(questions.file), "-c", str(questions.sockets),
                   "-T", "1", "-q", str(OUTSTANDING), "-l", str(int(seconds) + 1)]
        if questions.edns or questions.subnet:
            command.append("-e")
        if questions.subnet:
            command += ["-E", client_subnet(questions.subnet)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as dnsperf:
            try:
                output, errors = dnsperf.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                dnsperf.send_signal(signal.SIGINT)
                try:
                    output, errors = dnsperf.communicate(timeout=GRACE_SECONDS)
                except subprocess.TimeoutExpired:
                    dnsperf.kill()
                    raise PeerFailed("dnsperf did not end when it was interrupted") from None
        return self.sample(output, errors, questions.expected)

    @staticmethod
    def sample(output, errors, expected):
        def value(name):
            found = re.search(rf"{name}:\s+([0-9.]+)", output)
            if not found:
                raise PeerFailed(f"dnsperf gave no result: {errors.strip()} {output.strip()[-500:]}")
            return float(found[1])
        kinds = {"lost": int(value("Queries lost"))}
        codes = re.search(r"Response codes:\s+(.*)", output)
        for code, count in re.findall(r"(\w+) (\d+) \(", codes[1] if codes else ""):
            if expected and code != expected:
                kinds[code] = int(count)
        return Sample(int(value("Queries completed")), value(r"Run time \(s\)"), 0, {k: n for k, n in kinds.items() if n}, {})


def client_subnet(cidr):
    """dnsperf's spelling of EDNS option 8 (RFC 7871) for an IPv4 /24: family 1, source prefix 24, scope 0, three bytes."""
    octets = cidr.partition("/")[0].split(".")[:3]
    return "8:00011800" + bytes(map(int, octets)).hex()
