"""Base64 with one encoding per value (RFC 4648 sections 3.5 and 4, standard alphabet)."""

import binascii


def decode(text: str) -> bytes:
    """Decode canonical base64: no white space, no URL-safe letters, padded, unused bits zero.

    Raises:
        ValueError: ``text`` is not the one encoding of any bytes.
    """
    data = binascii.a2b_base64(text)  # forgiving: passes over whatever is no letter of its own
    # As many letters as these bytes need means that none was passed over; what is left to
    # compare is the last group, where one value could be written in several ways.
    last = data[-(len(data) % 3 or 3) :]
    if len(text) != (len(data) + 2) // 3 * 4 or binascii.b2a_base64(last, newline=False) != text[
        -4:
    ].encode("ascii"):
        raise ValueError("base64 is not canonical")
    return data
