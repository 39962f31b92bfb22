"""The time zone in which a user reads times."""

from __future__ import annotations

import pytest

from segue.errors import ConfigError, UsageError
from segue.services.permissions import Actor, Policy
from segue.services.time_zone import set_time_zone, time_zone
from segue.services.users import create_user


def test_each_user_chooses_for_themselves(workspace):
    acting = {}
    for name in ("ana", "bo"):
        user = create_user(workspace, name, Policy.VIEWER)
        acting[name] = workspace.acting_as(Actor(id=user.id, name=name, policy=user.policy))
    set_time_zone(acting["ana"], "Asia/Tokyo")
    assert (time_zone(acting["ana"]), time_zone(acting["bo"]), time_zone(workspace)) == ("Asia/Tokyo", None, None)
    set_time_zone(acting["ana"], None)
    assert time_zone(acting["ana"]) is None


def test_a_zone_that_is_none_is_refused(workspace):
    user = create_user(workspace, "ana", Policy.VIEWER)
    ana = workspace.acting_as(Actor(id=user.id, name="ana", policy=user.policy))
    with pytest.raises(ConfigError) as caught:
        set_time_zone(ana, 'Mars/"><script>')
    assert caught.value.code == "bad_time_zone"
    with pytest.raises(UsageError):
        set_time_zone(workspace, "UTC")  # the command line is no user
