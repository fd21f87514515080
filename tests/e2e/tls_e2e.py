"""Certificates, and clients that speak TLS, for the end-to-end cases."""

import pathlib
import socket
import ssl
import subprocess
import warnings

from weir_e2e import SCALE, FakeTarget, Wire

KEYS = {"ec": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "rsa": ["-newkey", "rsa:2048"]}


def openssl(*arguments, text=None, seconds=20.0):
    """What `openssl ARGUMENTS` wrote, both streams."""
    done = subprocess.run(["openssl", *map(str, arguments)], input=text or "", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", timeout=seconds * SCALE, check=False)
    return done.stdout


def certificate(folder, name, names=("shop.example.test",), key="ec", days=30, passphrase=None, common_name=None):
    """Makes NAME.pem and NAME.key, self-signed, and gives the two paths."""
    pem, key_file = pathlib.Path(folder) / f"{name}.pem", pathlib.Path(folder) / f"{name}.key"
    made = openssl(
        "req", "-x509", *KEYS[key], "-keyout", f"{key_file}.new", "-out", f"{pem}.new", "-days", days,
        "-subj", f"/CN={common_name or name}", "-addext", "subjectAltName=" + ",".join(f"DNS:{each}" for each in names),
        *(["-passout", f"pass:{passphrase}"] if passphrase else ["-nodes"]))
    assert pathlib.Path(f"{pem}.new").exists(), made
    # As deployments do: each file is replaced whole.
    pathlib.Path(f"{key_file}.new").rename(key_file)
    pathlib.Path(f"{pem}.new").rename(pem)
    return pem, key_file


CA = """
[ca]
default_ca = one
[one]
database = {folder}/index.txt
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
policy = any
[any]
commonName = supplied
"""


def expired_certificate(folder, name):
    """NAME.pem and NAME.key, self-signed, valid in January 2020."""
    folder = pathlib.Path(folder)
    pem, key = certificate(folder, name)
    (folder / "ca.cnf").write_text(CA.format(folder=folder))
    (folder / "index.txt").write_text("")
    openssl("req", "-new", "-key", key, "-subj", f"/CN={name}", "-out", folder / "request.pem")
    made = openssl("ca", "-batch", "-selfsign", "-notext", "-config", folder / "ca.cnf", "-keyfile", key, "-in", folder / "request.pem",
                   "-out", folder / "expired.pem", "-startdate", "20200101000000Z", "-enddate", "20200201000000Z")
    assert (folder / "expired.pem").exists() and (folder / "expired.pem").stat().st_size > 0, made
    (folder / "expired.pem").rename(pem)
    return pem, key


def yaml(*pairs):
    """`certificates` with these (certificate, key) pairs."""
    return "[" + ", ".join(f'{{certificate: "{pem}", key: "{key}"}}' for pem, key in pairs) + "]"


def context(version=None, suites=None):
    """A client that takes any certificate, and old versions where asked."""
    settings = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    settings.check_hostname, settings.verify_mode = False, ssl.CERT_NONE
    settings.set_ciphers(suites or "ALL:@SECLEVEL=0")
    if version is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            settings.minimum_version = settings.maximum_version = version
    return settings


class TlsClient(Wire):
    """A keep-alive connection over TLS."""

    def __init__(self, port, name="shop.example.test", settings=None, session=None, address="127.0.0.1"):
        plain = socket.create_connection((address, port), timeout=10 * SCALE)
        try:
            self.tls = (settings or context()).wrap_socket(plain, server_hostname=name, session=session)
        except BaseException:
            plain.close()
            raise
        super().__init__(self.tls)

    def get(self, target="/", host="shop.example.test", fields=()):
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
        self.tls.sendall(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n{lines}\r\n".encode())
        start, received = self.head()
        size = next((int(value) for name, value in received if name.lower() == "content-length"), 0)
        return int(start.split(" ")[1]), received, self.exactly(size)

    def close(self):
        self.tls.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def authority(folder, name="ca"):
    """An authority of one's own: (its PEM file, its key)."""
    return certificate(folder, name, names=(f"{name}.example.test",))


def signed(folder, name, issuer, names=("app.internal",), days=30, extensions=""):
    """NAME.pem and NAME.key of a server or client, signed by `issuer`; negative `days` make one that has expired."""
    folder = pathlib.Path(folder)
    pem, key = folder / f"{name}.pem", folder / f"{name}.key"
    openssl("req", "-new", *KEYS["ec"], "-nodes", "-keyout", key, "-subj", f"/CN={name}", "-out", folder / f"{name}.csr")
    (folder / f"{name}.ext").write_text("subjectAltName=" + ",".join(f"DNS:{each}" for each in names) + "\n" + extensions)
    made = openssl("x509", "-req", "-in", folder / f"{name}.csr", "-CA", issuer[0], "-CAkey", issuer[1], "-CAcreateserial",
                   "-days", days, "-extfile", folder / f"{name}.ext", "-out", pem)
    assert pem.exists(), made
    return pem, key


class TlsTarget(FakeTarget):
    """A fake target that speaks TLS. `handshakes` has, of each that went through, what was agreed on; `failures` why others
    did not. `hello(connection)` may do something else than shake hands: what it returns is served, None is nothing."""

    def __init__(self, name, pair, versions=(None, None), client_ca=None, suites=None, hello=None, **options):
        self.settings = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.settings.load_cert_chain(*map(str, pair))
        self.settings.set_ciphers(suites or "ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            if versions[0] is not None:
                self.settings.minimum_version = versions[0]
            if versions[1] is not None:
                self.settings.maximum_version = versions[1]
        if client_ca is not None:
            self.settings.verify_mode = ssl.CERT_REQUIRED
            self.settings.load_verify_locations(str(client_ca))
        self.settings.sni_callback = self._note_name
        self.hello, self.handshakes, self.failures = hello, [], []
        super().__init__(name, **options)

    @staticmethod
    def _note_name(connection, name, _):
        connection.asked_for = name

    def _shake(self, connection):
        secured = self.settings.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        secured.asked_for = None
        with self.lock:
            self.open.discard(connection)  # its descriptor is the other's now
            self.open.add(secured)
        secured.do_handshake()
        shown = secured.getpeercert() or {}
        self.handshakes.append({
            "version": secured.version(), "resumed": secured.session_reused, "name": secured.asked_for, "suite": secured.cipher()[0],
            "client": dict(pair[0] for pair in shown.get("subject", ())).get("commonName")})
        return secured

    def _serve(self, connection, peer, number):
        secured = connection
        try:
            secured = (self.hello or self._shake)(connection)
            if secured is not None:
                super()._serve(secured, peer, number)
        except (OSError, ValueError) as error:
            self.failures.append(error)
        finally:
            with self.lock:
                self.open -= {connection, secured}
            if secured is not None:
                secured.close()
            connection.close()
