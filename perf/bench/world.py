# SPDX-License-Identifier: Apache-2.0
"""What every contestant gets alike: certificates, keys, tokens, an upstream; and the processes, stopped by pid at the end."""

import base64
import hashlib
import http.server
import json
import os
import socket
import ssl
import string
import subprocess
import sys
import threading
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOT = os.path.dirname(HERE)
TENANT = "acme"
AUDIENCE = "https://api.perf.test"


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(*command, stdin=None):
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=180)
    if done.returncode:
        sys.exit(f"{' '.join(command[:3])} failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value, size):
    return b64(value.to_bytes(size, "big"))


class World:
    def __init__(self, directory, tokens, first_use):
        self.dir = directory
        self._certificates()
        self.keys = {"RS256": rsa.generate_private_key(65537, 2048), "ES256": ec.generate_private_key(ec.SECP256R1())}
        self.kids = {algorithm: hashlib.sha256(self._pem(algorithm)).hexdigest()[:16] for algorithm in self.keys}
        for algorithm in self.keys:
            self.write(f"{algorithm}.pub.pem", self._pem(algorithm))
        self.jwks = json.dumps({"keys": [self._jwk(algorithm) for algorithm in self.keys]}).encode()
        self.write("jwks.json", self.jwks)
        self.issuer_port = free_port()
        self.issuer = f"https://localhost:{self.issuer_port}"
        self.tokens = {algorithm: [self.token(algorithm, each) for each in range(tokens)] for algorithm in self.keys}
        # More than any cache here holds, so that each is as good as new when its turn comes again.
        self.fresh = {algorithm: [self.token(algorithm, 10**6 + each) for each in range(first_use)] for algorithm in self.keys}
        self.expired = [self.token("RS256", each, age=7200) for each in range(tokens)]
        self.forged = [token[:-8] + ("AAAAAAAA" if not token.endswith("AAAAAAAA") else "BBBBBBBA") for token in self.fresh["RS256"]]
        os.makedirs(self.path("bytes"), exist_ok=True)
        for name, size in (("10k", 10 << 10), ("1m", 1 << 20)):
            self.write(os.path.join("bytes", name), os.urandom(size))

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, content):
        with open(self.path(name), "wb" if isinstance(content, bytes) else "w") as file:
            file.write(content)
        return self.path(name)

    def configuration(self, template, target, **values):
        """Fills in perf/peers/<template>, and returns where the result is."""
        with open(os.path.join(HERE, "peers", template)) as file:
            text = string.Template(file.read()).substitute(dir=self.dir, issuer=self.issuer, **values)
        return self.write(target, text)

    def _certificates(self):
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/O=perf", "-keyout", self.path("ca.key"), "-out", self.path("ca.pem"),
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
            "-addext", "subjectAltName=URI:spiffe://perf.test")
        self._leaf("listener", "DNS:localhost,IP:127.0.0.1", "serverAuth")
        self._leaf("gateway", "URI:spiffe://perf.test/gateway", "clientAuth,serverAuth")
        # A name and an address beside the SPIFFE ID, because some peers know no other way to recognise their upstream.
        self._leaf("upstream", "URI:spiffe://perf.test/payments,DNS:payments.perf.test,IP:127.0.0.1", "clientAuth,serverAuth")

    def _leaf(self, name, names, usages):
        extensions = self.write(name + ".ext", "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
                                f"extendedKeyUsage={usages}\nsubjectAltName={names}\n")
        run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/O=perf",
            "-keyout", self.path(name + ".key"), "-out", self.path(name + ".csr"))
        run("openssl", "x509", "-req", "-in", self.path(name + ".csr"), "-CA", self.path("ca.pem"), "-CAkey",
            self.path("ca.key"), "-CAcreateserial", "-days", "1", "-extfile", extensions, "-out", self.path(name + ".pem"))
        with open(self.path(name + ".pem")) as certificate, open(self.path(name + ".key")) as key:
            self.write(name + "-both.pem", certificate.read() + key.read())

    def _pem(self, algorithm):
        return self.keys[algorithm].public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def _jwk(self, algorithm):
        common = {"use": "sig", "alg": algorithm, "kid": self.kids[algorithm]}
        numbers = self.keys[algorithm].public_key().public_numbers()
        if algorithm == "RS256":
            return {"kty": "RSA", "e": "AQAB", "n": number(numbers.n, 256), **common}
        return {"kty": "EC", "crv": "P-256", "x": number(numbers.x, 32), "y": number(numbers.y, 32), **common}

    def token(self, algorithm, each, age=0):
        now = int(time.time()) - age
        # Not at+jwt: stock Spring Security refuses the access tokens of RFC 9068.
        header = {"alg": algorithm, "typ": "JWT", "kid": self.kids[algorithm]}
        claims = {"iss": self.issuer, "aud": AUDIENCE, "sub": f"user-{each}", "client_id": "perf", "jti": str(each), "iat": now,
                  "exp": now + (3600 if age else 36000), "scope": "payments:read payments:write", "tenant_id": TENANT}
        signed = ".".join(b64(json.dumps(part).encode()) for part in (header, claims))
        if algorithm == "RS256":
            signature = self.keys[algorithm].sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        else:
            r, s = decode_dss_signature(self.keys[algorithm].sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
            signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return f"{signed}.{b64(signature)}"

    def serve_keys(self):
        """The key set over https, and over http for the contestant that cannot be told a certificate authority for it."""
        world = self

        class Keys(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = world.jwks
                if self.path == "/.well-known/openid-configuration":
                    body = json.dumps({"issuer": world.issuer, "jwks_uri": world.issuer + "/jwks"}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        secure = http.server.ThreadingHTTPServer(("127.0.0.1", self.issuer_port), Keys)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path("listener.pem"), self.path("listener.key"))
        secure.socket = context.wrap_socket(secure.socket, server_side=True)
        plain = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Keys)
        for server in (secure, plain):
            threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{plain.server_address[1]}/jwks"


class Processes:
    def __init__(self, world):
        self.world = world
        self.started = []

    def start(self, name, command):
        log = open(self.world.path(name + ".log"), "wb")
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=self.world.dir)
        self.started.append((name, process))
        return process

    def stop(self):
        for _, process in reversed(self.started):
            process.terminate()
        for _, process in self.started:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()

    def tail(self, name):
        with open(self.world.path(name + ".log"), errors="replace") as log:
            return "".join(log.readlines()[-25:])


def upstream(world, processes):
    port = free_port()
    # nginx would take the dollar of a variable of ours for one of its own.
    configuration = world.configuration("upstream.conf", "upstream.conf", port=port, kilobyte="x" * 1024)
    processes.start("upstream", ["nginx", "-c", configuration, "-e", world.path("upstream.err")])
    return port
