from __future__ import annotations

import logging
import sys

import pytest

from segue.errors import DataError
from segue.security import RedactingFormatter, redact, whereabouts


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("POST with pk_1234567890abcdef1234", "1234567890abcdef"),
        ("Authorization: Klaviyo-API-Key abc123def", "abc123def"),
        ("authorization: bearer eyJhbGciOi.payload.sig", "eyJhbGciOi"),
        ("{'Authorization': 'Bearer eyJhbGciOi'}", "eyJhbGciOi"),
        ("api_key=topsecret&x=1", "topsecret"),
        ('{"password": "hunter2"}', "hunter2"),
        ("SEGUE_SECRET_KEY=cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=", "cw_0x689"),
        ("postgresql://me:hunter2@db.local/c360", "hunter2"),
        ("profile zoë.o'neill+news@shop-mail.test refused", "zoë"),
        ('{"email":"ada@shop-mail.test"}', "ada"),
        ("filter=equals(email,'ada@shop-mail.test')", "ada"),
    ],
)
def test_secrets_and_addresses_are_masked(text, hidden):
    assert hidden in text
    assert hidden not in redact(text)
    assert "****" in redact(text)


@pytest.mark.parametrize(
    "text", ["made 3 lists in 2.5 s", "GET https://a.klaviyo.com/api/lists 200", "token bucket is empty", "@ 10:00"]
)
def test_ordinary_text_stays(text):
    assert redact(text) == text


def test_the_formatter_masks_arguments_and_tracebacks():
    formatter = RedactingFormatter("%(message)s")
    try:
        int("ada@shop-mail.test")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, "key %s", ("pk_abcdef123456",), sys.exc_info())
    text = formatter.format(record)
    assert "abcdef" not in text
    assert "ada@" not in text
    assert "ValueError" in text
    assert __file__ in text


def test_the_texts_of_foreign_errors_stay_out_wherever_they_stand_in_a_chain():
    def fail():
        try:
            try:
                int("Ada Lovelace")
            except ValueError as error:
                raise DataError("The rows of ada@shop-mail.test differ.", code="duplicate_keys") from error
        finally:
            raise ExceptionGroup("Ada and others", [KeyError("Grace Hopper"), RuntimeError("0664 123")])

    with pytest.raises(ExceptionGroup) as caught:
        fail()
    text = whereabouts(caught.value)
    for name in ("ValueError", "DataError", "KeyError", "RuntimeError", "ExceptionGroup", "in fail", __file__):
        assert name in text
    for value in ("Ada", "ada@", "Grace", "0664"):
        assert value not in text
    # Segue's own sentences are made for everybody's eyes.
    assert "The rows of ****@**** differ." in text
