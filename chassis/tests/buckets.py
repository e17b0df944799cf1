"""A server that speaks S3 on this machine, and what lies in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

BUCKET = "documents"


@dataclass(frozen=True)
class Bucket:
    port: int
    client: Any

    @property
    def settings(self) -> dict[str, str]:
        return {
            "storage": f"s3://{BUCKET}/kept",
            "storage_endpoint": f"http://127.0.0.1:{self.port}",
            "storage_region": "us-east-1",
            "storage_key": "key",
            "storage_secret": "secret",
        }

    def left(self) -> list[str]:
        """The objects, and the uploads that nobody has ended."""
        objects = self.client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        uploads = self.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
        return [entry["Key"] for entry in objects] + [f"part of {entry['Key']}" for entry in uploads]


@contextmanager
def bucket() -> Iterator[Bucket]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        _, port = server.get_host_and_port()
        client = boto3.client(
            "s3", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1", aws_access_key_id="key",
            aws_secret_access_key="secret",
        )  # fmt: skip
        client.create_bucket(Bucket=BUCKET)
        made = Bucket(port, client)
        yield made
        for key in made.left():  # the server's memory is the process's: the next one would find it
            client.delete_object(Bucket=BUCKET, Key=key)
    finally:
        server.stop()
