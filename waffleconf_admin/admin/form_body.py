"""Form body: how large a form of a request may be, and that it is in UTF-8."""

from __future__ import annotations

import re
from functools import cache
from io import BytesIO
from typing import IO, cast
from urllib.parse import unquote_to_bytes

from flask import request
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

#: Bytes that a form may have, where the app allows less. A character takes up to nine bytes, and a
#: browser sends every control of the page.
FORM_BYTES = 2**25

_URL_ENCODED = "application/x-www-form-urlencoded"
_NOT_UTF8 = "Something in this form is not UTF-8, so nothing was saved."
#: An escape of a byte beyond ASCII.
_ESCAPED = re.compile(rb"%[89A-Fa-f]")


def allow_large_forms(endpoint: str | None, values: dict[str, object] | None) -> None:
    """Accept a form as large as all settings together.

    A URL value preprocessor: these run before anything that may read the form, such as the app's
    CSRF protection.
    """
    limit = request.max_form_memory_size
    if limit is not None and request.mimetype == _URL_ENCODED:
        request.max_form_memory_size = max(limit, FORM_BYTES)


def refuse_other_encodings(endpoint: str | None, values: dict[str, object] | None) -> None:
    """Let reading a form raise a BadRequest if it is not in UTF-8.

    A URL value preprocessor, as `allow_large_forms` is.
    """
    parser = request.form_data_parser_class
    request.form_data_parser_class = _utf8_parser(parser)  # type: ignore[arg-type]


@cache
def _utf8_parser(parser: type[FormDataParser]) -> type[FormDataParser]:
    """Return a parser that is the app's own, or Werkzeug's, and refuses other encodings."""
    return type("UTF8Parser", (_UTF8Parser, parser), {})


class _UTF8Parser(FormDataParser):
    """Refuses what Werkzeug would decode to something else: ``%E9`` to these three characters, and
    bytes of multipart to U+FFFD.

    In multipart it counts: texts that have more of U+FFFD than the body were not in UTF-8. So such
    a text passes beside a file that contains U+FFFD.
    """

    def parse(
        self,
        stream: IO[bytes],
        mimetype: str,
        content_length: int | None,
        options: dict[str, str] | None = None,
    ) -> tuple[IO[bytes], MultiDict[str, str], MultiDict[str, FileStorage]]:
        if mimetype == _URL_ENCODED:
            body = _read_form(stream, content_length, self.max_form_memory_size)
            if not _is_utf8(unquote_to_bytes(body) if _ESCAPED.search(body) else body):
                raise BadRequest(_NOT_UTF8)
            return super().parse(BytesIO(body), mimetype, content_length, options)
        counting = _Counting(stream)
        _, form, files = super().parse(
            cast("IO[bytes]", counting), mimetype, content_length, options
        )
        if sum("".join(texts).count("\ufffd") for texts in form.listvalues()) > counting.found:
            raise BadRequest(_NOT_UTF8)
        return stream, form, files


def _read_form(stream: IO[bytes], length: int | None, limit: int | None) -> bytes:
    """Return a URL-encoded form. Werkzeug limits none since 3.1.9, and before only those whose
    length is known.

    :param length: of the form; None: the client has not said it.
    :param limit: bytes that it may have; None: any number.
    :raises RequestEntityTooLarge: it has more; it was not read, or hardly further.
    """
    if limit is not None and (length or 0) > limit:
        raise RequestEntityTooLarge
    if limit is None or length is not None:
        return stream.read()
    body = bytearray()
    while chunk := stream.read(2**16):
        body += chunk
        if len(body) > limit:
            raise RequestEntityTooLarge
    return bytes(body)


class _Counting:
    """A stream that counts U+FFFD in what is read of it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._end = b""  # the bytes that one may begin with
        self.found = 0

    def read(self, size: int = -1) -> bytes:
        """Return what the stream does."""
        data = self._stream.read(size)
        seen = self._end + data
        self.found += seen.count("\ufffd".encode())
        self._end = seen[-2:]
        return data


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def posted_form() -> MultiDict[str, str]:
    """Return the form data of the request.

    :raises BadRequest: a part of it has no name, which readers of forms don't expect.
    """
    if None in request.form:
        raise BadRequest("A part of the form has no name.")
    return request.form
