"""Tokens, and an endpoint that publishes keys, for the end-to-end cases of jwt-validation."""

import base64
import json
import subprocess
import time

import tls_e2e
from weir_e2e import SCALE


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Key:
    """An RSA key that signs tokens."""

    def __init__(self, folder, kid):
        self.kid, self.file = kid, folder / f"{kid}.jwt.key"
        tls_e2e.openssl("genrsa", "-out", self.file, "2048")
        modulus = tls_e2e.openssl("rsa", "-in", self.file, "-noout", "-modulus").strip().partition("=")[2]
        self.jwk = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": base64url(bytes.fromhex(modulus)), "e": "AQAB"}

    def token(self, claims, **header):
        text = ".".join(base64url(json.dumps(part).encode()) for part in ({"alg": "RS256", "typ": "JWT", "kid": self.kid, **header}, claims))
        done = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.file], input=text.encode(), capture_output=True, timeout=20 * SCALE,
                              check=True)
        return f"{text}.{base64url(done.stdout)}"


def claims(**more):
    now = int(time.time())
    return {"iss": "https://id.example.test", "exp": now + 3600, "iat": now - 10, "scope": "read write", **more}


class Jwks:
    """A real HTTPS endpoint at https://localhost that an authority of its own vouches for. `answer` is what it says: the keys,
    or whatever a case puts there; `release` lets one that is to be slow go on."""

    def __init__(self, folder, keys=()):
        self.authority = tls_e2e.authority(folder, "jwks-ca")
        self.pair = tls_e2e.signed(folder, "jwks", self.authority, names=("localhost",))
        self.keys, self.script = list(keys), None
        self.target = tls_e2e.TlsTarget("jwks", self.pair, script=self._serve)

    @property
    def url(self):
        return f"https://localhost:{self.target.port}/.well-known/jwks.json"

    @property
    def fetches(self):
        return len(self.target.requests)

    def _serve(self, request, wire):
        if self.script is not None:
            self.script(request, wire)
        else:
            self.respond(wire, 200, json.dumps({"keys": [key.jwk for key in self.keys]}))
        return False

    @staticmethod
    def respond(wire, status, body):
        wire.socket.sendall(f"HTTP/1.1 {status} Whatever\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())

    def answers(self, status, body):
        self.script = lambda request, wire: self.respond(wire, status, body)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.target.stop()
