"""Runs vpipe on a machine that reaches everything else through a proxy, which is pip's proxy.py.

    python http_proxy.py VPIPE CLIP      needs http_proxy.txt installed; exits with 1 if anything differs

A relay before the proxy keeps every byte that is sent to it. Servers are on loopback, one of them encrypted; the proxy,
like a name server of its own, finds them under `detect.test`, which no other name server knows.
"""

import http.server
import json
import os
import pathlib
import socket
import ssl
import subprocess
import sys
import tempfile
import threading

import trustme
from proxy import Proxy
from proxy.http.proxy import HttpProxyBasePlugin

KEY = "A-KEY-THAT-NO-PROXY-MAY-SEE"
HOST = "detect.test"
USER = "user:proxy-pass-word"
RECIPE = """
version = 1
[backends.own]
kind = "http"
url = "{url}"
attempts = 1
{key}
[stages.extract]
fps = 1
[stages.ask]
kind = "http"
inputs = ["extract"]
backend = "own"
request = {{ image = "{{{{ image }}}}" }}
answer = {{ record = {{ text = "output.text" }} }}
[stages.merge]
inputs = ["ask"]
"""
WITH_KEY = 'api_key_env = "MY_KEY"'


class Names(HttpProxyBasePlugin):
    """Finds `detect.test`."""

    def resolve_dns(self, host, port):
        return ("127.0.0.1" if host == HOST else None), None


class Server(http.server.BaseHTTPRequestHandler):
    """Keeps the headers and the length of what it is sent."""

    protocol_version = "HTTP/1.1"
    kept = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.kept.append(({name.lower(): value for name, value in self.headers.items()}, json.loads(body)))
        text = b'{"text": "a"}'
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


class Relay:
    """What is sent to it, kept and passed on to a port."""

    def __init__(self, port):
        self.kept, self.to = bytearray(), port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            line, _ = self.listener.accept()
            onward = socket.create_connection(("127.0.0.1", self.to))
            for ends in ((line, onward, self.kept), (onward, line, bytearray())):
                threading.Thread(target=self.pass_on, args=ends, daemon=True).start()

    @staticmethod
    def pass_on(source, sink, kept):
        try:
            while data := source.recv(65536):
                kept.extend(data)
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def serve(certificate=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


class Machine:
    """A machine behind a proxy."""

    def __init__(self, vpipe, clip, folder, relay):
        self.vpipe, self.clip, self.folder, self.relay = vpipe, clip, folder, relay

    def run(self, url, key="", user="", **variables):
        """Exit code and talk of a run, what reached the proxy, and what the server."""
        Server.kept.clear()
        self.relay.kept.clear()
        here = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        (here / "recipe.toml").write_text(RECIPE.format(url=url, key=key))
        names = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
        names += tuple(name.upper() for name in names)
        clean = {name: value for name, value in os.environ.items() if name not in names}
        proxy = f"http://{user}127.0.0.1:{self.relay.port}"
        usual = {"http_proxy": proxy, "https_proxy": proxy, "all_proxy": proxy, "MY_KEY": KEY}
        usual |= {"SSL_CERT_FILE": str(self.folder / "authority.pem")}
        command = [self.vpipe, "run", "recipe.toml", self.clip, "--first", "2s", "--allow-host", HOST]
        environment = {name: value for name, value in (clean | usual | variables).items() if value is not None}
        done = subprocess.run(command, cwd=here, env=environment, capture_output=True, text=True, timeout=120)
        talk, seen = done.stdout + done.stderr, bytes(self.relay.kept)
        assert KEY not in talk and KEY.encode() not in seen, (talk, seen[:2000])
        return done.returncode, talk, seen, list(Server.kept)

    def said(self):
        return f"leave this machine for {HOST} through the proxy 127.0.0.1:{self.relay.port}"


def plain(machine, port):
    """Without encryption frames may go through a proxy, and a key may not."""
    url = f"http://{HOST}:{port}/a"
    code, talk, seen, kept = machine.run(url)
    assert code == 0 and machine.said() in talk, talk
    assert len(kept) == 2 and seen.count(f"POST {url} HTTP/1.1".encode()) == 2, seen[:2000]
    for variables in ({"http_proxy": None}, {"all_proxy": None}):
        code, talk, seen, kept = machine.run(url, **variables)
        assert code == 0 and machine.said() in talk and len(kept) == 2, talk
    code, talk, seen, kept = machine.run(url, WITH_KEY)
    assert code == 3 and not seen and not kept, talk
    assert f"the key for {HOST} is not sent through the proxy" in talk, talk
    print("http: frames through the proxy, and it is said; a key is refused, and nothing is sent")


def encrypted(machine, port):
    """With encryption the proxy sees the host and nothing else."""
    url = f"https://{HOST}:{port}/a"
    for variables in ({}, {"https_proxy": None}):
        code, talk, seen, kept = machine.run(url, WITH_KEY, **variables)
        assert code == 0 and machine.said() in talk, talk
        assert len(kept) == 2 and all(KEY in headers["authorization"] for headers, _ in kept), talk
        assert seen.startswith(f"CONNECT {HOST}:{port} HTTP/1.1\r\n".encode()), seen[:200]
        images = [body["image"].encode()[100:200] for _, body in kept]
        assert not any(word in seen for word in [b"POST", b"uthorization: ", *images])
    # The authority of this machine is not that of the certificate.
    code, talk, seen, kept = machine.run(url, WITH_KEY, SSL_CERT_FILE=None)
    assert code == 3 and not kept, talk
    print("https: by CONNECT; the key arrives, and the proxy sees neither it nor a frame")


def with_password(machine, port):
    """A proxy that asks for a password gets it, and nobody else does."""
    code, talk, seen, kept = machine.run(f"http://{HOST}:{port[0]}/a")
    assert code != 0 and seen and not kept, talk
    for url, key in ((f"http://{HOST}:{port[0]}/a", ""), (f"https://{HOST}:{port[1]}/a", WITH_KEY)):
        code, talk, seen, kept = machine.run(url, key, user=f"{USER}@")
        assert code == 0 and machine.said() in talk and "proxy-pass-word" not in talk, talk
        assert b"roxy-authorization: Basic " in seen.replace(b"A", b"a"), seen[:300]
        assert len(kept) == 2, talk
        # Without encryption it is the proxy that takes it out.
        assert url.startswith("http:") or not any("proxy-authorization" in headers for headers, _ in kept)
    print("a proxy with a password: it gets it; no line of the program has it, and no server behind TLS")


def loopback(machine, ports):
    """What is on this machine is asked without a proxy, with a key and without."""
    for host in ("127.0.0.1", "localhost"):
        for key in ("", WITH_KEY):
            code, talk, seen, kept = machine.run(f"http://{host}:{ports[0]}/a", key)
            assert code == 0 and not seen and "through the proxy" not in talk, (host, talk)
            assert len(kept) == 2 and all(("authorization" in headers) == bool(key) for headers, _ in kept), talk
    code, talk, seen, kept = machine.run(f"https://localhost:{ports[1]}/a", WITH_KEY)
    assert code == 0 and not seen and len(kept) == 2, talk
    # As the user says: this host without a proxy, where nobody knows its name.
    code, talk, seen, kept = machine.run(f"http://{HOST}:{ports[0]}/a", WITH_KEY, no_proxy=HOST)
    assert code == 3 and not seen and not kept and "through the proxy" not in talk, talk
    print("loopback, and what no_proxy names: the proxy sees nothing")


def main(vpipe, clip):
    vpipe, clip = (str(pathlib.Path(path).resolve()) for path in (vpipe, clip))
    authority = trustme.CA()
    ports = [serve(), serve(authority.issue_cert(HOST, "localhost"))]
    options = ["--hostname", "127.0.0.1", "--port", "0", "--num-workers", "1", "--num-acceptors", "1"]
    options += ["--log-level", "CRITICAL"]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        authority.cert_pem.write_to_path(str(folder / "authority.pem"))
        with Proxy(options, plugins=[Names]) as proxy:
            machine = Machine(vpipe, clip, folder, Relay(proxy.flags.port))
            plain(machine, ports[0])
            encrypted(machine, ports[1])
            loopback(machine, ports)
        with Proxy([*options, "--basic-auth", USER], plugins=[Names]) as proxy:
            with_password(Machine(vpipe, clip, folder, Relay(proxy.flags.port)), ports)


if __name__ == "__main__":
    main(*sys.argv[1:])
