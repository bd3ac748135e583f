"""Servers of object stores on loopback, and a proxy in front of them that fails on command."""

import http.client
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests
from harness import REPO, eventually

BUCKET = "bucket"
# The account and the key of every Azurite, from its manual.
AZURE_ACCOUNT = "devstoreaccount1"
AZURE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
# A server that outlives its test ends then.
SERVER_SECONDS = 3600


class Store:
    """A bucket of a server on loopback. `environment` tells programs where it is."""

    scheme = ""
    # A variable that the message of a failed opening names if it is not set.
    credentials = ""
    # Those that it names if they are set.
    credentials_in_use: tuple[str, ...] = ()
    # The server stores its objects in a directory, so that they are there when it starts again.
    is_on_disk = True

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.start()
        try:
            self.create_bucket()
        except BaseException:
            self.stop()
            raise

    def start(self) -> None:
        """Starts the server, and waits until it answers."""
        self._output = tempfile.NamedTemporaryFile("ab")
        command = ["timeout", str(SERVER_SECONDS), *map(str, self.command())]
        self._process = subprocess.Popen(command, stdout=self._output, stderr=self._output, env=bare_environment())
        try:
            eventually(self._answers, True)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(30)

    def _answers(self) -> bool:
        assert self._process.poll() is None, Path(self._output.name).read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    @property
    def root(self) -> str:
        return f"{self.scheme}://{BUCKET}"

    def logdir(self) -> str:
        """The URL of a new logdir."""
        return f"{self.root}/{uuid.uuid4().hex[:8]}/logs"

    def command(self) -> list[object]:
        raise NotImplementedError

    def create_bucket(self) -> None:
        raise NotImplementedError

    def settings(self, port: int) -> dict[str, str]:
        """The variables for a server on this port."""
        raise NotImplementedError

    def suite_settings(self) -> dict[str, str]:
        """More variables for tests/object_store.rs, which reads only those of the crate `object_store`."""
        return {}

    def environment(self, port: int | None = None) -> dict[str, str]:
        """The environment of a program that uses the bucket. It has no proxies and no credentials of this machine."""
        return {**bare_environment(), **self.settings(port or self.port)}


def bare_environment() -> dict[str, str]:
    kept = ("PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "CARGO_TARGET_DIR", "TMPDIR", "PYTHONDONTWRITEBYTECODE")
    return {name: os.environ[name] for name in kept if name in os.environ}


class S3(Store):
    scheme = "s3"
    credentials = "AWS_ACCESS_KEY_ID"
    credentials_in_use = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    is_on_disk = False  # moto has its objects in memory.

    def command(self) -> list[object]:
        return [Path(sys.executable).with_name("moto_server"), "-H", "127.0.0.1", "-p", self.port]

    def create_bucket(self) -> None:
        import boto3

        client = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        client.create_bucket(Bucket=BUCKET)

    def settings(self, port: int) -> dict[str, str]:
        return {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "S3_ENDPOINT": f"http://127.0.0.1:{port}",
        }

    def suite_settings(self) -> dict[str, str]:
        return {"AWS_ENDPOINT": f"http://127.0.0.1:{self.port}"}


class Gcs(Store):
    scheme = "gs"
    credentials = "GOOGLE_APPLICATION_CREDENTIALS"

    def command(self) -> list[object]:
        return [sys.executable, Path(__file__).with_name("gcs_emulator.py"), self.port, self.directory]

    def create_bucket(self) -> None:
        address = f"http://127.0.0.1:{self.port}/storage/v1/b?project=test"
        requests.post(address, json={"name": BUCKET}, timeout=10).raise_for_status()

    def settings(self, port: int) -> dict[str, str]:
        return {"STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{port}", "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false"}


class Azure(Store):
    scheme = "az"
    credentials = "AZURE_STORAGE_ACCOUNT_KEY"
    credentials_in_use = ("AZURE_STORAGE_CONNECTION_STRING",)

    def command(self) -> list[object]:
        azurite = REPO / "target" / "cloud" / "node" / "node_modules" / ".bin" / "azurite-blob"
        flags = ["--location", self.directory, "--skipApiVersionCheck", "--disableTelemetry", "--silent"]
        return [azurite, "--blobHost", "127.0.0.1", "--blobPort", self.port, *flags]

    def create_bucket(self) -> None:
        from azure.storage.blob import BlobServiceClient

        text = self.settings(self.port)["AZURE_STORAGE_CONNECTION_STRING"]
        BlobServiceClient.from_connection_string(text).create_container(BUCKET)

    def settings(self, port: int) -> dict[str, str]:
        endpoint = f"http://127.0.0.1:{port}/{AZURE_ACCOUNT}"
        parts = ["DefaultEndpointsProtocol=http", f"AccountName={AZURE_ACCOUNT}", f"AccountKey={AZURE_KEY}", f"BlobEndpoint={endpoint}"]
        return {"AZURE_STORAGE_CONNECTION_STRING": ";".join(parts) + ";", "FSSPEC_AZ": '{"use_listings_cache": false}'}

    def suite_settings(self) -> dict[str, str]:
        return {
            "AZURE_STORAGE_ACCOUNT_NAME": AZURE_ACCOUNT,
            "AZURE_STORAGE_ACCOUNT_KEY": AZURE_KEY,
            "AZURE_STORAGE_ENDPOINT": f"http://127.0.0.1:{self.port}/{AZURE_ACCOUNT}",
        }


STORES = {"s3": S3, "gs": Gcs, "az": Azure}


@contextmanager
def running(scheme: str) -> Iterator[Store]:
    """Runs a server with an empty bucket."""
    with tempfile.TemporaryDirectory() as directory:
        store = STORES[scheme](Path(directory))
        try:
            yield store
        finally:
            store.stop()


class Proxy:
    """Forwards requests to a server on loopback, or fails as `mode` says:

    | mode | what happens to a request |
    |---|---|
    | `pass` | it is forwarded |
    | `refuse` | the connection is reset before the request arrives |
    | `delay` | it is forwarded after 2 seconds |
    | `hang` | it has no answer until the mode changes, and is dropped then |
    | `cut` | it arrives, but the connection ends without an answer |
    | `throttle` | the answer is 503 |
    | `forbid` | the answer is 403 |
    | `limit` | the answer is 429 if the object was written less than a second ago, which counts as `limited` |
    """

    def __init__(self, port: int):
        self.mode = "pass"
        # How often each mode was met.
        self.counts: dict[str, int] = {}
        # How many uploads of segments were answered.
        self.segment_count = 0
        # When each path was written.
        self.written: dict[str, float] = {}
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                if proxy.mode == "refuse":
                    proxy.counts["refuse"] = proxy.counts.get("refuse", 0) + 1
                    self._drop()
                    return
                super().handle_one_request()

            def __getattr__(self, name: str) -> Any:
                if name.startswith("do_"):
                    return self._handle
                raise AttributeError(name)

            def log_message(self, *_: object) -> None:
                pass

            def _drop(self) -> None:
                """Ends the connection with a reset."""
                self.close_connection = True
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

            def _handle(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                mode = proxy.mode
                proxy.counts[mode] = proxy.counts.get(mode, 0) + 1
                if mode == "refuse":
                    return self._drop()
                if mode == "hang":
                    while proxy.mode == "hang":
                        time.sleep(0.05)
                    return self._drop()
                if mode == "throttle":
                    return self._answer(503, {"Content-Type": "application/xml"}, b"<Error><Code>SlowDown</Code></Error>")
                if mode == "forbid":
                    return self._answer(403, {"Content-Type": "application/xml"}, b"<Error><Code>AccessDenied</Code></Error>")
                if mode == "limit" and self.command == "PUT":
                    path, now = self.path.partition("?")[0], time.monotonic()
                    if now - proxy.written.get(path, 0) < 1:
                        proxy.counts["limited"] = proxy.counts.get("limited", 0) + 1
                        return self._answer(429, {"Content-Type": "application/xml"}, b"<Error><Code>SlowDown</Code></Error>")
                    proxy.written[path] = now
                if mode == "delay":
                    time.sleep(2)
                upstream = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    upstream.putheader(name, value)
                upstream.endheaders(body)
                answer = upstream.getresponse()
                headers, body = dict(answer.getheaders()), answer.read()
                upstream.close()
                if mode == "cut":
                    return self._drop()
                proxy.segment_count += self.command == "PUT" and "tfevents" in self.path
                self._answer(answer.status, headers, body)

            def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
                self.send_response_only(status)
                skipped = {"connection", "transfer-encoding"}
                if self.command != "HEAD":
                    skipped.add("content-length")
                    if status not in (204, 304):
                        self.send_header("Content-Length", str(len(body)))
                for name, value in headers.items():
                    if name.lower() not in skipped:
                        self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                pass  # The client has given up.

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]

    def __enter__(self) -> "Proxy":
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.mode = "refuse"
        self._server.shutdown()
        self._server.server_close()
