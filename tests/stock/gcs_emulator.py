"""The emulator gcp-storage-emulator with the requests of the XML API that it lacks and `object_store` sends: HEAD, the list of
a bucket, and uploads on the condition that an object has a generation. Arguments: the port, and the
directory for the objects.
"""

import io
import sys
from email.utils import format_datetime
from datetime import datetime
from http import HTTPStatus
from xml.sax.saxutils import escape

from gcp_storage_emulator import server
from gcp_storage_emulator.exceptions import NotFound
from gcp_storage_emulator.handlers import objects


def find(request, storage):
    """The description of the object that a request names, or `None`."""
    try:
        return storage.get_file_obj(request.params["bucket_name"], request.params["object_id"])
    except NotFound:
        return None


def describe(response, found) -> None:
    response["ETag"] = f'"{found["generation"]}"'
    response["x-goog-generation"] = found["generation"]
    updated = datetime.fromisoformat(found["updated"].replace("Z", "+00:00"))
    response["Last-Modified"] = format_datetime(updated, usegmt=True)


def get(request, response, storage) -> None:
    objects.download(request, response, storage)
    if found := find(request, storage):
        describe(response, found)


def put(request, response, storage) -> None:
    request.data  # The body must be read before the answer.
    wanted = request.get_header("x-goog-if-generation-match")
    found = find(request, storage)
    if wanted is not None and wanted != (found["generation"] if found else "0"):
        response.status = HTTPStatus.PRECONDITION_FAILED
        return
    objects.xml_upload(request, response, storage)
    if response.status == HTTPStatus.OK:
        describe(response, find(request, storage))


def delete(request, response, storage) -> None:
    storage.delete_file(request.params["bucket_name"], request.params["object_id"])
    response.status = HTTPStatus.NO_CONTENT


def ls(request, response, storage) -> None:
    prefix, delimiter = (request.query.get(name, [None])[0] for name in ("prefix", "delimiter"))
    try:
        found, prefixes, *_ = storage.get_file_list(request.params["bucket_name"], prefix, delimiter)
    except NotFound:
        response.status = HTTPStatus.NOT_FOUND
        return
    contents = "".join(
        f"<Contents><Key>{escape(each['name'])}</Key><LastModified>{each['updated']}</LastModified>"
        f'<ETag>"{each["generation"]}"</ETag><Size>{each["size"]}</Size></Contents>'
        for each in found
    )
    common = "".join(f"<CommonPrefixes><Prefix>{escape(each)}</Prefix></CommonPrefixes>" for each in prefixes)
    response.write_file(f"<ListBucketResult>{contents}{common}</ListBucketResult>".encode(), content_type="application/xml")


def do_HEAD(handler) -> None:
    """Answers like GET, without the body."""
    client, handler.wfile = handler.wfile, io.BytesIO()
    server.Router(handler).handle("HEAD")
    head, _, _ = handler.wfile.getvalue().partition(b"\r\n\r\n")
    handler.wfile = client
    client.write(head + b"\r\n\r\n")


*others, (pattern, _) = server.HANDLERS
server.HANDLERS = (
    *others,
    (pattern, {"GET": get, "HEAD": get, "PUT": put, "DELETE": delete}),
    (r"^/(?P<bucket_name>[-.\w]+)/?$", {"GET": ls}),
)
server.RequestHandler.do_HEAD = do_HEAD
server.create_server("127.0.0.1", int(sys.argv[1]), in_memory=False, data_dir=sys.argv[2]).run()
