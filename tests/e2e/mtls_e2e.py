"""Authorities, certificates of clients and revocation lists, for the end-to-end cases."""

import pathlib
import re
import ssl

from tls_e2e import context, openssl

KEYS = {
    "ec": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "p384": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "p521": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-521"],
    "rsa": ["-newkey", "rsa:2048"],
    "rsa1024": ["-newkey", "rsa:1024"],
    "ed25519": ["-newkey", "ed25519"],
}

SETTINGS = """
[ca]
default_ca = one
[one]
database = {folder}/{name}.index
new_certs_dir = {folder}
serial = {folder}/{name}.serial
crlnumber = {folder}/{name}.crlnumber
default_md = sha256
default_days = 30
default_crl_days = 30
policy = any
unique_subject = no
copy_extensions = none
[any]
countryName = optional
organizationName = optional
commonName = optional
"""
AUTHORITY = "basicConstraints = critical,CA:TRUE\nkeyUsage = critical,keyCertSign,cRLSign\n"


class Pair:
    """A certificate and its key, with those of its issuers that a client has to send."""

    def __init__(self, folder, name, issuers=()):
        self.pem, self.key = pathlib.Path(folder) / f"{name}.pem", pathlib.Path(folder) / f"{name}.key"
        self.chain = pathlib.Path(folder) / f"{name}-chain.pem"
        self.chain.write_text(self.pem.read_text() + "".join(issuer.pem.read_text() for issuer in issuers))

    def blocks(self):
        return re.findall(r"-----BEGIN CERTIFICATE-----\n.*?-----END CERTIFICATE-----\n", self.chain.read_text(), re.S)


class Authority:
    """A root, or one below `issuer`. Issues and revokes with `openssl ca`."""

    def __init__(self, folder, name, issuer=None):
        self.folder, self.name, self.issuer = pathlib.Path(folder), name, issuer
        (self.folder / f"{name}.cnf").write_text(SETTINGS.format(folder=self.folder, name=name))
        (self.folder / f"{name}.index").write_text("")
        (self.folder / f"{name}.serial").write_text("03A5B1\n")
        (self.folder / f"{name}.crlnumber").write_text("01\n")
        self.pem, self.key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        if issuer is None:
            (self.folder / f"{name}.ext").write_text("[req]\ndistinguished_name = dn\n[dn]\n[v3]\n" + AUTHORITY)
            said = openssl("req", "-x509", *KEYS["ec"], "-nodes", "-keyout", self.key, "-out", self.pem, "-days", 30, "-subj", f"/CN={name}",
                           "-config", self.folder / f"{name}.ext", "-extensions", "v3")
            assert self.pem.exists(), said
        else:
            issuer.issue(name, extensions=AUTHORITY)

    def issuers(self):
        """What a client sends besides its own certificate."""
        return [] if self.issuer is None else [self, *self.issuer.issuers()]

    def issue(self, name, key="ec", subject=None, begin=None, end=None, extensions="", digest="sha256"):
        """NAME.pem and NAME.key. Times are YYYYMMDDHHMMSSZ."""
        request, extension = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        extension.write_text(extensions or "basicConstraints = CA:FALSE\n")
        said = openssl("req", "-new", *KEYS[key], "-nodes", "-utf8", "-keyout", self.folder / f"{name}.key", "-out", request,
                       "-subj", subject or f"/CN={name}")
        period = [*(["-startdate", begin] if begin else []), *(["-enddate", end] if end else [])]
        said += openssl("ca", "-batch", "-notext", "-config", self.folder / f"{self.name}.cnf", "-keyfile", self.key, "-cert", self.pem,
                        "-in", request, "-out", self.folder / f"{name}.pem", "-extfile", extension, "-md", digest, *period)
        pem = self.folder / f"{name}.pem"
        assert pem.exists() and pem.stat().st_size > 0, said
        return Pair(self.folder, name, self.issuers())

    def revoke(self, *pairs, file=None):
        """The revocation list, with these in it and all that were revoked before."""
        common = ["-config", self.folder / f"{self.name}.cnf", "-keyfile", self.key, "-cert", self.pem]
        for pair in pairs:
            openssl("ca", *common, "-revoke", pair.pem)
        path = file or self.folder / f"{self.name}.crl"
        said = openssl("ca", *common, "-gencrl", "-out", f"{path}.new")
        assert pathlib.Path(f"{path}.new").exists(), said
        pathlib.Path(f"{path}.new").rename(path)
        return path


VERSIONS = {"tls1_2": ssl.TLSVersion.TLSv1_2, "tls1_3": ssl.TLSVersion.TLSv1_3}


def client_context(pair=None, version=None):
    settings = context(version)
    if pair is not None:
        settings.load_cert_chain(pair.chain, pair.key)
    return settings
