"""The account of a key."""

from __future__ import annotations

from klaviyo_emulator.api.call import Call, Handler, Reply
from klaviyo_emulator.documents import account_resource, document, page
from klaviyo_emulator.errors import not_found


def get_accounts(call: Call) -> Reply:
    """The one account that the key belongs to."""
    account = call.account
    found = account_resource(account.id, account.name, account.timezone, call.base)
    return Reply(document=page([found], call.url, None))


def get_account(call: Call) -> Reply:
    """The account by id."""
    account = call.account
    if call.key != account.id:
        raise not_found("account", call.key)
    return Reply(document=document(account_resource(account.id, account.name, account.timezone, call.base), call.url))


HANDLERS: dict[str, Handler] = {"GET /api/accounts": get_accounts, "GET /api/accounts/{id}": get_account}
