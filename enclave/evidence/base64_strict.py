"""Base64 with one encoding per value (RFC 4648 sections 3.5 and 4, standard alphabet)."""

import binascii


def decode(text: str) -> bytes:
    """Decode canonical base64: no white space, no URL-safe letters, padded, unused bits zero.

    Raises:
        ValueError: ``text`` is not the one encoding of any bytes.
    """
    data = binascii.a2b_base64(text)  # forgiving; the comparison is what is strict
    if binascii.b2a_base64(data, newline=False) != text.encode("ascii"):
        raise ValueError("base64 is not canonical")
    return data
